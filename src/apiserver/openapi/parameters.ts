/** Query parameters: their types, and what they do in our own words. */
export interface Parameter {
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

const text = (description: string): Parameter => ({ type: "string", description });
const whole = (description: string): Parameter => ({ type: "integer", description });
const flag = (description: string): Parameter => ({ type: "boolean", description });

export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  allowWatchBookmarks: flag("Asks a watch for BOOKMARK events, which tell how far it has come."),
  continue: text("The token of the previous page of the same list."),
  fieldSelector: text("Only objects whose fields have these values."),
  labelSelector: text("Only objects whose labels match."),
  limit: whole("The most objects in one page; the answer then has a continue token."),
  resourceVersion: text("Which state is read, or from which on is watched; see the API conventions."),
  resourceVersionMatch: text("How resourceVersion is meant: Exact or NotOlderThan."),
  sendInitialEvents: flag("Begins a watch with what is there, followed by a bookmark."),
  shardSelector: text("Only objects of one shard of the collection."),
  timeoutSeconds: whole("Ends the call after this time, whether or not anything has happened."),
  watch: flag("Sends changes as they happen instead of a list."),
  dryRun: text("All: every stage of the request runs, and nothing is kept."),
  fieldManager: text("Who makes the change, up to 128 printable characters."),
  fieldValidation: text("What unknown and duplicate fields lead to: Ignore, Warn or Strict."),
  force: flag("Takes over fields that other managers own. Only for apply patches, where conflicts fail otherwise."),
  gracePeriodSeconds: whole("How long the object may take to end; 0: at once."),
  ignoreStoreReadErrorWithClusterBreakingPotential: flag(
    "Deletes an object that cannot be read any more, with all that this breaks.",
  ),
  orphanDependents: flag("Deprecated: use propagationPolicy. Whether dependents are left alone."),
  propagationPolicy: text("What becomes of dependents: Orphan, Background or Foreground."),
  pretty: text("'true' indents the answer."),
  container: text("The container meant; may be left out when the pod has one."),
  follow: flag("Goes on as more is logged."),
  insecureSkipTLSVerifyBackend: flag("Does not check the kubelet's certificate."),
  limitBytes: whole("Ends after this many bytes."),
  previous: flag("The log of the container's previous run."),
  sinceSeconds: whole("Only lines as old as this or newer."),
  stream: text("Which stream: All, Stdout or Stderr."),
  tailLines: whole("Only the last lines."),
  timestamps: flag("Begins each line with its time."),
  command: text("The command and, repeated, its arguments; no shell runs it."),
  stderr: flag("Passes on the standard error stream."),
  stdin: flag("Passes on the standard input stream."),
  stdout: flag("Passes on the standard output stream."),
  tty: flag("Gives the command a terminal."),
  ports: whole("Ports to forward; needed over WebSocket only."),
  path: text("The path of the request that is passed on."),
};
