/** Sees to it that an image is there before its container is made. Source: kubelet images/image_manager.go. */
import type { Container, Pod } from "../api/generated/core-v1.ts";
import type { Env } from "../lib/env.ts";
import { createTurns } from "../lib/turns.ts";
import { containerReference, REASONS, type Recorder } from "./events.ts";
import { parseReference } from "./images/reference.ts";
import { type BackOffEntry, backOffUntil, goDuration, nextBackOff } from "./podLifecycle/backOff.ts";
import { type ImageStatus, type RegistryCredential, type Runtime, RuntimeError } from "./runtime.ts";

/** Pulls that run at a time. Ours: upstream's default is one after another. */
const PULLS_MAX = 4;
/** After that the back-off is told in place of the error. Ours: upstream's next look comes after some such time. */
const ERROR_SHOWN_MS = 1000;
/** Remembered back-offs; the oldest goes first. */
const BACK_OFFS_MAX = 1000;

/** Why the container waits, and until when nothing is tried. */
export class ImageError extends Error {
  readonly reason: string;
  readonly retryAtMs: number | undefined;
  constructor(reason: string, message: string, options: { cause?: unknown; retryAtMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = "ImageError";
    this.reason = reason;
    this.retryAtMs = options.retryAtMs;
  }
}

export interface ImagePuller {
  /** @throws ImageError */
  ensure(
    pod: Pod,
    container: Container,
    credentials: () => Promise<readonly RegistryCredential[]>,
  ): Promise<ImageStatus>;
  forgetPod(uid: string): void;
}

/** "busybox" → "busybox:latest". @throws Error for what is no name */
export function withDefaultTag(image: string): string {
  const { tag, digest } = parseReference(image);
  return tag === undefined && digest === undefined ? `${image}:latest` : image;
}

/** Source: apis/core/v1/defaults.go SetDefaults_Container. */
const pullPolicyOf = ({ imagePullPolicy }: Container, image: string): string =>
  imagePullPolicy ?? (image.endsWith(":latest") ? "Always" : "IfNotPresent");

interface Pull {
  readonly promise: Promise<ImageStatus>;
}

export function createImagePuller({
  env,
  runtime,
  recorder,
}: {
  readonly env: Env;
  readonly runtime: Runtime;
  readonly recorder: Recorder;
}): ImagePuller {
  const { clock } = env;
  /** By pod uid and image; the entry's event is its own update. */
  const backOffs = new Map<string, BackOffEntry & { readonly lastError: string }>();
  const pulls = new Map<string, Pull>();
  const turns = createTurns(PULLS_MAX);

  const pull = (image: string, credentials: readonly RegistryCredential[]): Promise<ImageStatus> => {
    const key = `${image} ${JSON.stringify(credentials)}`;
    let known = pulls.get(key);
    if (known === undefined) {
      const promise = turns(() => runtime.images.pull(image, credentials)).finally(() => pulls.delete(key));
      known = { promise };
      pulls.set(key, known);
    }
    return known.promise;
  };

  const checkBackOff = (pod: Pod, container: Container, key: string): void => {
    const entry = backOffs.get(key);
    const untilMs = entry && backOffUntil(entry, entry.updatedAtMs, clock.now());
    if (entry === undefined || untilMs === undefined) return;
    const reference = containerReference(pod, container.name);
    recorder.event(reference, "Normal", REASONS.backOff, `Back-off pulling image "${container.image}"`);
    const message = `Back-off pulling image "${container.image}": ErrImagePull: ${entry.lastError}`;
    throw new ImageError("ImagePullBackOff", message, { retryAtMs: untilMs });
  };

  const pullNow = async (
    pod: Pod,
    container: Container,
    image: string,
    credentials: () => Promise<readonly RegistryCredential[]>,
  ): Promise<ImageStatus> => {
    const key = `${pod.metadata.uid}_${image}`;
    checkBackOff(pod, container, key);
    const reference = containerReference(pod, container.name);
    recorder.event(reference, "Normal", REASONS.pulling, `Pulling image "${container.image}"`);
    const startedAtMs = clock.now();
    try {
      const status = await pull(image, await credentials());
      const took = goDuration(clock.now() - startedAtMs);
      const text = `Successfully pulled image "${container.image}" in ${took} (${took} including waiting). Image size: ${status.sizeBytes} bytes.`;
      recorder.event(reference, "Normal", REASONS.pulled, text);
      backOffs.delete(key);
      return status;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const message = `Failed to pull image "${container.image}": ${cause}`;
      recorder.event(reference, "Warning", REASONS.failed, message);
      const nowMs = clock.now();
      const next = nextBackOff(backOffs.get(key), nowMs, nowMs);
      if (backOffs.size >= BACK_OFFS_MAX) backOffs.delete(backOffs.keys().next().value as string);
      backOffs.set(key, { ...next, lastError: cause });
      const reason =
        error instanceof RuntimeError && error.reason === "InvalidImageName" ? error.reason : "ErrImagePull";
      throw new ImageError(reason, cause, { cause: error, retryAtMs: nowMs + ERROR_SHOWN_MS });
    }
  };

  const present = (pod: Pod, container: Container, status: ImageStatus): ImageStatus => {
    const text = `Container image "${container.image}" already present on machine and can be accessed by the pod`;
    recorder.event(containerReference(pod, container.name), "Normal", REASONS.pulled, text);
    return status;
  };

  const named = (pod: Pod, container: Container): string => {
    try {
      return withDefaultTag(container.image ?? "");
    } catch (cause) {
      const message = `Failed to apply default image tag "${container.image}": ${(cause as Error).message}`;
      recorder.event(containerReference(pod, container.name), "Warning", REASONS.inspectFailed, message);
      throw new ImageError("InvalidImageName", message, { cause });
    }
  };

  return {
    async ensure(pod, container, credentials) {
      const reference = containerReference(pod, container.name);
      const image = named(pod, container);
      const policy = pullPolicyOf(container, image);
      const status = policy === "Always" ? undefined : await runtime.images.status(image);
      if (status !== undefined) return present(pod, container, status);
      if (policy !== "Never") return pullNow(pod, container, image, credentials);
      const message = `Container image "${container.image}" is not present with pull policy of Never`;
      recorder.event(reference, "Warning", REASONS.errImageNeverPull, message);
      throw new ImageError("ErrImageNeverPull", message);
    },
    forgetPod(uid) {
      for (const key of backOffs.keys()) if (key.startsWith(`${uid}_`)) backOffs.delete(key);
    },
  };
}
