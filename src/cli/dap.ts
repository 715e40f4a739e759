import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { BuildOutput } from "../build/types.ts";
import { toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { DebugSession } from "../debugger/session.ts";
import { frame, MessageReader } from "../debugger/stream.ts";
import type { DebugHost, DebugTarget, LaunchArguments } from "../debugger/target.ts";
import { loadCore } from "../env/node/core.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { observeKernel } from "../kernelview/observe.ts";
import { RunController } from "../session/runController.ts";
import { machineFor } from "../worker/compose.ts";
import { explaining } from "../worker/debugging.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { dapCommand, parseCommand } from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe } from "./machine.ts";
import { toolchainKind } from "./options.ts";

interface Settings {
	readonly tree: string;
	readonly toolchain: string | undefined;
	readonly translator: boolean;
	/** Waits of the guest take real time. */
	readonly paced: boolean;
	readonly build?: (tree: string, unoptimized: boolean) => Promise<BuildOutput>;
}

/** `xv6-lab dap`: one debug session over standard input and output. */
export async function runDap(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "dap", dapCommand);
	const settings: Settings = {
		tree: positionals[0] ?? ".",
		toolchain: values.toolchain,
		translator: values["no-jit"] !== true,
		paced: values["no-wait"] !== true,
	};
	return new Promise((done) => {
		const session = new DebugSession(
			dapHost(settings),
			(message) => void process.stdout.write(frame(message)),
			() => end(exitCodes.done),
		);
		const end = (code: number) => {
			process.stdin.removeAllListeners("data");
			process.stdin.pause();
			session.dispose();
			done(code);
		};
		// One at a time, in their order: a launch takes a while, and what follows is about its machine.
		let last: Promise<void> = Promise.resolve();
		const reader = new MessageReader(
			(message) => {
				last = last.then(() => session.receive(message));
			},
			(why, fatal) => {
				process.stderr.write(`xv6-lab: the client sent ${why}\n`);
				if (fatal) end(exitCodes.usage);
			},
		);
		process.stdin.on("data", (bytes: Buffer) => reader.push(bytes));
		process.stdin.on("end", () => void last.then(() => end(exitCodes.done)));
	});
}

/** Builds folders of this disk, and runs them in this process. */
export function dapHost(settings: Settings): DebugHost {
	return {
		breathe,
		attach: async () => {
			throw new UserError(
				"debug-request",
				"There is no machine to attach to",
				"Use a launch request: this adapter has a machine of its own.",
			);
		},
		launch: async (args, say) => {
			const root = resolve(args.tree ?? settings.tree);
			const unoptimized = args.build === "debug";
			const build =
				settings.build ??
				((tree, plain) =>
					buildForCli(tree, { toolchain: toolchainKind(settings.toolchain), unoptimized: plain, quiet: true }));
			const output = await build(root, unoptimized);
			say(
				unoptimized
					? "Debug build (-O0): every variable has a value; timing differs from the build as it is."
					: "Built as the Makefile says.",
			);
			const { manifest } = await openCatalog().labOf(new NodeTree(root), false);
			return debugTarget(output, root, args, settings, manifest?.regions);
		},
	};
}

/** A machine at its first instruction, standing, with its history. */
async function debugTarget(
	output: BuildOutput,
	root: string,
	args: LaunchArguments,
	settings: Pick<Settings, "translator" | "paced">,
	regions?: unknown,
): Promise<DebugTarget> {
	const { machine } = await machineFor(await loadCore(), output, {
		translator: settings.translator,
		...(args.harts === undefined ? {} : { harts: args.harts }),
		...(args.seed === undefined ? {} : { seed: args.seed }),
	});
	const observer = observeKernel(machine, output, regions);
	if (args.history !== false) machine.keepHistory();
	const now = settings.paced ? {} : { after: (_ms: number, callback: () => void) => soon(callback) };
	const controller = new RunController(machine, { breathe, ...now });
	controller.start("paused");
	return {
		machine,
		controller,
		kernel: output.kernel,
		programs: new Map(output.programs.map(({ name, elf }) => [name, elf])),
		root,
		hasFile: (path) => existsSync(resolve(root, path)),
		...explaining(observer, machine),
		dispose: () => {
			observer.dispose();
			controller.dispose();
			machine.dispose();
		},
	};
}

function soon(callback: () => void) {
	const handle = setImmediate(callback);
	return toDisposable(() => clearImmediate(handle));
}
