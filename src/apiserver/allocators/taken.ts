/** What was taken for one write, so that it can be given back. */
export interface Taken {
  readonly addresses: string[];
  readonly ports: number[];
}
