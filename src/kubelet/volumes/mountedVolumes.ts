/** Volume name → where it is on the node. */
export type MountedVolumes = ReadonlyMap<string, MountedVolume>;

export interface MountedVolume {
  /** Folder, or file for a hostPath of a file. */
  readonly hostPath: string;
  /** Nothing may be written to it, whatever the mount says (configMap, secret, …). */
  readonly readOnly: boolean;
}
