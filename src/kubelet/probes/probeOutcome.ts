/**
 * What one probe found. A warning counts as a success and is told as an event; what is unknown, because there was no
 * probing at all, counts as nothing and is told as well.
 */
export interface ProbeOutcome {
  readonly verdict: "Success" | "Warning" | "Failure" | "Unknown";
  readonly message: string;
}
