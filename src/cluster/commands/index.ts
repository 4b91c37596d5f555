import { agentCommand } from "./agent.ts";
import type { SkiffCommand } from "./command.ts";
import { controlPlaneCommand } from "./controlPlane.ts";
import { deleteCommand } from "./delete.ts";
import { doctorCommand } from "./doctor.ts";
import { downCommand } from "./down.ts";
import { imageCommand } from "./image.ts";
import { kubeconfigCommand } from "./kubeconfig.ts";
import { listCommand } from "./list.ts";
import { loadCommand } from "./load.ts";
import { logsCommand } from "./logs.ts";
import { statusCommand } from "./status.ts";
import { upCommand } from "./up.ts";

/** Every word that `skiff` knows, in the order in which help shows them. */
export const commands: readonly SkiffCommand[] = [
  upCommand,
  downCommand,
  deleteCommand,
  statusCommand,
  listCommand,
  kubeconfigCommand,
  loadCommand,
  imageCommand,
  logsCommand,
  doctorCommand,
  controlPlaneCommand,
  agentCommand,
];
