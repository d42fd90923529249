import { pushTask } from '../bad-input/test-task.js';
import type { World } from '../workflows/world.js';

/** Folders of the sockets of simulated hosts, by the beginning of their devices' uuids. */
export type SocketFolders = Readonly<Record<string, string>>;

/** Python that takes memory of every device that it may use and keeps it in `held`. */
export const useDevices = (sockets: SocketFolders): string => `
import os, socket
held = []
folders = ${JSON.stringify(sockets)}
for uuid in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    host, index = uuid.rsplit("-", 1)
    device = socket.socket(socket.AF_UNIX)
    device.connect(f"{folders[host]}/device-{index}.sock")
    device.sendall(f"hello {os.environ['ASSAY_RUN']}\\nhold {64 << 20}\\n".encode())
    device.recv(3)
    held.append(device)
`;

/** A recipe that uses its devices for some seconds and leaves x. */
export const deviceRecipe = (
  sockets: SocketFolders,
  x: number,
  seconds: number,
): string => `${useDevices(sockets)}
import json, time
time.sleep(${seconds})
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": ${x}}, file)
`;

const EVALUATOR = `
import json, os
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file: x = json.load(file)["x"]
out = os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w")
with out: json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": (x - 3.0) ** 2}}, out)
`;

/** What a device task asks for. */
export interface DeviceTask {
  name: string;
  sockets: SocketFolders;
  gpus: number;
  /** The evaluator uses devices as well. */
  evaluatorUses?: boolean;
  /** Seconds of the start's training. */
  seconds?: number;
}

/** Stores the tiny task as one of the pool `gpu` whose recipe, and evaluator if asked, use simulated devices. */
export const pushDeviceTask = (
  { lineage }: Pick<World, 'lineage'>,
  { name, sockets, gpus, evaluatorUses = false, seconds = 0.2 }: DeviceTask,
): Promise<void> =>
  pushTask(
    { lineage },
    name,
    (yaml) =>
      yaml
        .replace(/^resources: \{[^}]*\}/m, (line) =>
          line.replace(/pool: \w+/, 'pool: gpu').replace('slots: 1', `gpus: ${gpus}`),
        )
        .replace(/^( +)check:.*\n/m, '')
        .replace(/^evaluate: \{/m, `evaluate: { gpus: ${evaluatorUses ? 1 : 0},`)
        .replace(/^gates:\n.*\n/m, ''),
    {
      'recipe/train.py': deviceRecipe(sockets, 1, seconds),
      'evaluator/evaluate.py': evaluatorUses ? `${useDevices(sockets)}${EVALUATOR}` : EVALUATOR,
    },
  );
