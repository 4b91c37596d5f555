/** Whom a container's process runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Home directory; "/" when nothing tells. */
  readonly home: string;
}

/** Text of the image's files; empty when it has none. */
export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

const rowsOf = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim().split(":"))
    .filter((row) => row.length > 1);
const isNumber = (text: string) => /^\d+$/.test(text);

/**
 * Resolves "user", "user:group", "1000" or "1000:1000" as the image's files say, and what the pod asks for on top.
 * @throws Error for a name that the image does not know.
 */
export function resolveUser(
  imageUser: string,
  database: UserDatabase,
  asked: { readonly runAsUser?: number; readonly runAsGroup?: number; readonly supplementalGroups: readonly number[] },
): ProcessUser {
  const fromImage = asked.runAsUser === undefined ? imageUser : String(asked.runAsUser);
  const [user = "", group] = fromImage.split(":");
  const entry = rowsOf(database.passwd).find((row) => row[0] === user || (isNumber(user) && row[2] === user));
  if (entry === undefined && user !== "" && !isNumber(user))
    throw new Error(`unable to find user ${user}: no matching entries in passwd file`);
  const root = user === "" ? rowsOf(database.passwd).find((row) => row[2] === "0") : entry;
  const uid = Number(entry?.[2] ?? (user === "" ? 0 : user));
  const gid = asked.runAsGroup ?? (group === undefined ? Number(entry?.[3] ?? 0) : groupId(group, database));
  const memberships = groupsOf(root?.[0], database.group);
  const additionalGids = [...new Set([gid, ...memberships, ...asked.supplementalGroups])].sort((a, b) => a - b);
  return { uid, gid, additionalGids, home: (entry ?? root)?.[5] || "/" };
}

function groupId(group: string, database: UserDatabase): number {
  const entry = rowsOf(database.group).find((row) => row[0] === group || (isNumber(group) && row[2] === group));
  if (entry === undefined && !isNumber(group))
    throw new Error(`unable to find group ${group}: no matching entries in group file`);
  return Number(entry?.[2] ?? group);
}

function groupsOf(userName: string | undefined, group: string): readonly number[] {
  if (userName === undefined) return [];
  const members = (row: readonly string[]) => (row[3] ?? "").split(",");
  return rowsOf(group).flatMap((row) => (members(row).includes(userName) ? [Number(row[2])] : []));
}
