import { getSystemErrorName } from "node:util";
import { type ForeignCalls, type ForeignFunction, type ForeignLibrary, foreignCalls } from "../../lib/foreignCalls.ts";

/** Flags of mount(2). Source: linux/mount.h. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_BIND = 4096;
/** Flag of umount2(2): gone from view at once, freed when nothing uses it. */
export const MNT_DETACH = 2;

/** Flags of unshare(2) and setns(2). Source: linux/sched.h. */
export const CLONE_NEWNS = 0x00020000;
export const CLONE_NEWUTS = 0x04000000;
export const CLONE_NEWIPC = 0x08000000;
export const CLONE_NEWNET = 0x40000000;

/** File types of mknod(2). Source: linux/stat.h. */
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const MSG_DONTWAIT = 0x40;

export const LOCK_EX = 2;
export const LOCK_NB = 4;

/**
 * The few calls of Linux that Node does not offer. The prototypes are those of 64-bit Linux; variadic functions are
 * declared with their last argument, which is passed the same way there.
 */
const PROTOTYPES = {
  mount: "int mount(str source, str target, str type, unsigned long flags, str data)",
  umount2: "int umount2(str target, int flags)",
  unshare: "int unshare(int flags)",
  setns: "int setns(int fd, int type)",
  sethostname: "int sethostname(str name, size_t length)",
  mknod: "int mknod(str path, uint mode, uint64 device)",
  lsetxattr: "int lsetxattr(str path, str name, const void *value, size_t size, int flags)",
  lgetxattr: "int64 lgetxattr(str path, str name, _Out_ void *value, size_t size)",
  socket: "int socket(int domain, int type, int protocol)",
  connect: "int connect(int fd, const void *address, uint length)",
  recv: "int64 recv(int fd, _Out_ void *buffer, size_t size, int flags)",
  ioctl: "int ioctl(int fd, unsigned long request, _Inout_ void *argument)",
  flock: "int flock(int fd, int operation)",
  syncfs: "int syncfs(int fd)",
  bind: "int bind(int fd, const void *address, uint length)",
  setsockopt: "int setsockopt(int fd, int level, int name, const void *value, uint length)",
  prctl: "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  waitpid: "int waitpid(int pid, void *status, int options)",
} as const;

type Name = keyof typeof PROTOTYPES;

let calls: ForeignCalls | undefined;
let libc: ForeignLibrary | undefined;
const functions = new Map<Name, ForeignFunction>();

function foreign(name: Name) {
  calls ??= foreignCalls();
  libc ??= calls.load(null);
  let call = functions.get(name);
  if (call === undefined) {
    call = libc.func(PROTOTYPES[name]);
    functions.set(name, call);
  }
  return call;
}

export class SystemCallError extends Error {
  readonly code: string;
  constructor(call: string, code: string, subject: string) {
    super(`${call} ${subject}: ${code}`);
    this.name = "SystemCallError";
    this.code = code;
  }
}

/** @throws SystemCallError with errno's name as its code. */
function check(name: Name, subject: string, ...args: unknown[]): number {
  const result = Number(foreign(name)(...args));
  if (result >= 0) return result;
  throw new SystemCallError(name, getSystemErrorName(-(calls as ForeignCalls).errno()), subject);
}

export function mount(options: { source: string; target: string; type?: string; flags?: number; data?: string }): void {
  const { source, target, type = null, flags = 0, data = null } = options;
  check("mount", `${type ?? source} on ${target}`, source, target, type, flags, data);
}

/** @returns false when nothing was mounted there. */
export function unmount(target: string, flags: number = MNT_DETACH): boolean {
  try {
    check("umount2", target, target, flags);
    return true;
  } catch (error) {
    if (["EINVAL", "ENOENT"].includes((error as SystemCallError).code)) return false;
    throw error;
  }
}

/** Affects the calling thread alone: what must run in the new namespaces must be synchronous. */
export const unshare = (flags: number) => check("unshare", "", flags);
export const setNamespace = (descriptor: number, type: number) => check("setns", "", descriptor, type);
export const setHostname = (name: string) => check("sethostname", name, name, Buffer.byteLength(name));
export const makeNode = (path: string, mode: number, device: bigint) => check("mknod", path, path, mode, device);
export const openSocket = (domain: number, type: number) => check("socket", "", domain, type, 0);
export const ioctl = (fd: number, request: number, argument: Buffer) => check("ioctl", "", fd, request, argument);
export const lockFile = (descriptor: number, operation: number) => check("flock", "", descriptor, operation);

/** Source: linux/prctl.h, PR_SET_CHILD_SUBREAPER. */
const PR_SET_CHILD_SUBREAPER = 36;
/** Source: linux/wait.h. */
const WNOHANG = 1;

/** Has orphans below this process become its children, for it to collect. */
export const adoptOrphans = () => check("prctl", "", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
/** Frees a child that has ended, its exit code unseen. */
export const collectChild = (pid: number) => check("waitpid", String(pid), pid, null, WNOHANG);

/** Source: linux/socket.h and asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

/** Gives an IPv4 socket its own address; "0.0.0.0" is every one. */
export function bindInet(descriptor: number, address: string, port: number): void {
  const yes = Buffer.from([1, 0, 0, 0]);
  check("setsockopt", "", descriptor, SOL_SOCKET, SO_REUSEADDR, yes, yes.length);
  const name = Buffer.alloc(16);
  name.writeUInt16LE(AF_INET, 0);
  name.writeUInt16BE(port, 2);
  for (const [index, part] of address.split(".").entries()) name.writeUInt8(Number(part), 4 + index);
  check("bind", `${address}:${port}`, descriptor, name, name.length);
}

/** Connects a descriptor to a Unix socket; for socket types that `net.connect` does not know. */
export function connectUnix(descriptor: number, path: string): void {
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  const length = address.write(path, 2, 107);
  check("connect", path, descriptor, address, length + 3);
}

/** One packet that is already there; undefined: none. */
export function receiveNow(descriptor: number, sizeMax: number): Buffer | undefined {
  const buffer = Buffer.alloc(sizeMax);
  const received = Number(foreign("recv")(descriptor, buffer, sizeMax, MSG_DONTWAIT));
  return received > 0 ? buffer.subarray(0, received) : undefined;
}

export function setAttribute(path: string, name: string, value: Uint8Array): void {
  check("lsetxattr", `${name} of ${path}`, path, name, value, value.length, 0);
}

export function getAttribute(path: string, name: string): Buffer | undefined {
  const buffer = Buffer.alloc(65_536);
  const size = Number(foreign("lgetxattr")(path, name, buffer, buffer.length));
  return size < 0 ? undefined : buffer.subarray(0, size);
}

/** Waits on another thread until everything written to the file system of `descriptor` is on the disk. */
export function syncFileSystem(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    foreign("syncfs").async(descriptor, (error: Error | null, result: number) => {
      if (error === null && result === 0) resolve();
      else reject(error ?? new SystemCallError("syncfs", "EIO", ""));
    });
  });
}

/** Source: linux makedev(), 64-bit. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}
