/** Imported for its effect, before all else: who has an old Node.js reads a sentence, not what it stumbled upon. */

/** The library is tested from 24 on; older than this it cannot work at all (Promise.withResolvers). */
const NODE_MAJOR_MIN = 22;

/** @throws Error when this Node.js is too old */
export function requireNode(version: string): void {
  if (Number(version.split(".")[0]) >= NODE_MAJOR_MIN) return;
  throw new Error(
    `skiff as a library needs Node.js 24 or newer, and this is ${version}. The npm scripts of a project with skiff in it find one that is new enough`,
  );
}

requireNode(process.versions.node);
