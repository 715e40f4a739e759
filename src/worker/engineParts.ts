import { describeTree } from "../build/describeTree.ts";
import { BuildSession } from "../build/session.ts";
import { UserError } from "../common/errors.ts";
import { treeSigns } from "../common/xv6Tree.ts";
import type { StartGradeWorker } from "../grade/gradeRun.ts";
import { observeKernel } from "../kernelview/observe.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import type { Machine } from "../machine/machine.ts";
import { parseRecording, recordedMachine, recordingOf, serializeRecording } from "../machine/recording.ts";
import type { BuildParams, EngineRequests } from "../protocol/engine.ts";
import { type Port, sendEvent, serve } from "../protocol/rpc.ts";
import type { Toolchain, WasiToolchain } from "../toolchain/types.ts";
import { explorable, machineFor } from "./compose.ts";
import { Engine } from "./engine.ts";

/** What the engine needs of its platform. */
interface EnginePlatform {
	readonly catalog: LabCatalog;
	core(): Promise<WebAssembly.Module>;
	/** The core that detectors watch. */
	watchCore(): Promise<WebAssembly.Module>;
	/** Opens a toolchain; called again only when the wish changes. */
	openToolchains(params: BuildParams): Promise<{ toolchain: Toolchain; wasi: WasiToolchain; dispose(): void }>;
	/** Asked for at the first grade script. */
	gradeWorkers(): Promise<StartGradeWorker>;
	breathe(): Promise<void>;
	now(): number;
}

/** Puts the engine together and answers the host's requests on the port. `close` is for a host that can no longer ask for it. */
export function serveEngine(port: Port, platform: EnginePlatform): { close(): Promise<undefined> } {
	const session = new BuildSession();
	let opened: { key: string; tools: ReturnType<EnginePlatform["openToolchains"]> } | undefined;
	const toolchainsFor = ({ unoptimized: _unoptimized, ...params }: BuildParams) => {
		const key = JSON.stringify(params);
		if (opened?.key !== key) {
			void opened?.tools.then((tools) => tools.dispose()).catch(() => undefined);
			opened = { key, tools: platform.openToolchains(params) };
			// A failure is the failure of the build that asked; the next build tries again.
			opened.tools.catch(() => {
				opened = undefined;
			});
		}
		return opened.tools;
	};
	const engine = new Engine({
		catalog: platform.catalog,
		emit: (kind, event) => sendEvent(port, kind, event),
		build: async (tree, params, onProgress, signal) => {
			const { toolchain, wasi } = await toolchainsFor(params);
			const unoptimized = params.unoptimized === true;
			return session.build({ tree, toolchain, wasi, unoptimized, onProgress, signal });
		},
		warm: async (params) => {
			const { toolchain, wasi } = await toolchainsFor(params);
			if (toolchain.id === wasi.id) wasi.warm();
		},
		describeTree: async (tree) => {
			for (const sign of treeSigns) if (!(await tree.read(sign))) return { isKernelTree: false, programs: [] };
			try {
				const { programs } = await describeTree(tree);
				return { isKernelTree: true, programs };
			} catch (error) {
				if (!(error instanceof UserError)) throw error;
				return { isKernelTree: true, programs: [], problem: error.format() };
			}
		},
		createMachine: async (output, params, counting) =>
			counting
				? machineFor(await platform.watchCore(), output, { ...params, translator: false }, undefined, true)
				: machineFor(await platform.core(), output, params),
		explorable: async (output, params, watch) =>
			explorable(await (watch ? platform.watchCore() : platform.core()), output, params, watch),
		again: async (machine) => recordedMachine(recordingOf(machine as Machine), { core: await platform.core() }),
		core: () => platform.core(),
		gradeWorkers: () => platform.gradeWorkers(),
		record: async (machine, title) => serializeRecording(recordingOf(machine as Machine, title)),
		recorded: async (bytes) => {
			const recording = await parseRecording(bytes);
			return { machine: await recordedMachine(recording, { core: await platform.core() }), recording };
		},
		observe: (machine, output, manifest, options) => observeKernel(machine, output, manifest?.regions, options),
		breathe: () => platform.breathe(),
		now: () => platform.now(),
	});
	serve<EngineRequests>(port, engine.handlers);
	return { close: () => engine.handlers.close(undefined) };
}
