/** One line of a terminal that is written over and over, such as a step that runs. */

/** Whether `output` can do that: it is a terminal, and one that knows escape sequences. */
export const isLive = (output: NodeJS.WriteStream, environment: NodeJS.ProcessEnv = process.env): boolean =>
  output.isTTY === true && environment.TERM !== "dumb";

export const CLEAR_LINE = "\r\x1b[K";

/** What is too wide is cut off: a line that goes on below would stay there. */
export const liveLine = (text: string): string => `${CLEAR_LINE}\x1b[?7l${text}\x1b[?7h`;
