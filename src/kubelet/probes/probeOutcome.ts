/** What one probe found. A warning counts as a success and is told as an event. */
export interface ProbeOutcome {
  readonly verdict: "Success" | "Warning" | "Failure";
  readonly message: string;
}
