/** What `skiff up` is asked for. */

export interface UpOptions {
  readonly name: string;
  readonly nodes?: number;
  readonly runtime?: string;
  readonly port?: number;
  /** Seconds. */
  readonly wait: number;
  readonly sample?: boolean;
  /** Gives up before the next thing is started. */
  readonly signal?: AbortSignal;
}
