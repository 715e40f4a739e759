import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import { unwritable } from "../env/node/unwritable.ts";
import * as commandLine from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { dieInterrupted } from "./interrupt.ts";

/** A definition, and an implementation that costs nothing until it is called. */
interface Command {
	readonly spec: commandLine.CommandSpec;
	load(): Promise<(argv: string[]) => Promise<number>>;
}

const commands: Record<string, Command> = {
	new: { spec: commandLine.newCommand, load: async () => (await import("./new.ts")).runNew },
	build: { spec: commandLine.buildCommand, load: async () => (await import("./build.ts")).runBuild },
	boot: { spec: commandLine.bootCommand, load: async () => (await import("./boot.ts")).runBoot },
	run: { spec: commandLine.runCommand, load: async () => (await import("./run.ts")).runRun },
	explore: { spec: commandLine.exploreCommand, load: async () => (await import("./explore.ts")).runExplore },
	replay: { spec: commandLine.replayCommand, load: async () => (await import("./replay.ts")).runReplay },
	test: { spec: commandLine.testCommand, load: async () => (await import("./test.ts")).runTest },
	grade: { spec: commandLine.gradeCommand, load: async () => (await import("./grade.ts")).runGrade },
	lab: { spec: commandLine.labCommand, load: async () => (await import("./lab.ts")).runLabCommand },
	inspect: { spec: commandLine.inspectCommand, load: async () => (await import("./inspect.ts")).runInspect },
	dap: { spec: commandLine.dapCommand, load: async () => (await import("./dap.ts")).runDap },
	qemu: { spec: commandLine.qemuCommand, load: async () => (await import("./qemu.ts")).runQemu },
	bench: { spec: commandLine.benchCommand, load: async () => (await import("./bench.ts")).runBench },
};

const specs = Object.fromEntries(Object.entries(commands).map(([name, { spec }]) => [name, spec]));

async function main(argv: string[]): Promise<number> {
	const [name, ...rest] = argv;
	if (!name || name === "help" || name === "--help" || name === "-h") {
		const about = rest[0] ?? "";
		const spec = Object.hasOwn(specs, about) ? specs[about] : undefined;
		process.stdout.write(spec ? commandLine.helpOf(about, spec) : commandLine.helpOfAll(specs));
		return name ? exitCodes.done : exitCodes.usage;
	}
	if (name === "completion") {
		const { completionScript } = await import("./completion.ts");
		process.stdout.write(completionScript(rest[0], specs));
		return exitCodes.done;
	}
	const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
	if (!command) {
		process.stderr.write(`xv6-lab: there is no command '${visible(name)}'. 'xv6-lab help' lists them.\n`);
		return exitCodes.usage;
	}
	if (asksForHelp(rest) && !command.spec.own) {
		process.stdout.write(commandLine.helpOf(name, command.spec));
		return exitCodes.done;
	}
	const run = await command.load();
	return run(rest);
}

/** A guest's program may have a `-h` of its own: after `--` it is not ours. */
function asksForHelp(argv: readonly string[]): boolean {
	const end = argv.indexOf("--");
	const ours = end < 0 ? argv : argv.slice(0, end);
	return ours.includes("--help") || ours.includes("-h");
}

function exitCodeOf(error: UserError): number {
	switch (error.code) {
		case "guest-panic":
			return exitCodes.panic;
		case "guest-timeout":
			return exitCodes.timeout;
		case "compile-failed":
		case "link-failed":
		case "mkfs-failed":
		case "makefile-not-understood":
		case "grade-script-failed":
		case "outside-tree":
		case "limit-reached":
			return exitCodes.buildFailed;
		case "cancelled":
			return exitCodes.interrupted;
		default:
			return exitCodes.usage;
	}
}

function start(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on("error", (error: NodeJS.ErrnoException) => {
			// `| head` has read enough: nobody is there to be told.
			if (error.code === "EPIPE") process.exit(exitCodes.closedPipe);
			const place = stream === process.stdout ? "standard output" : "standard error";
			const said = unwritable(place, error, "", "send the output to another place").format();
			try {
				writeSync(process.stderr.fd, `xv6-lab: ${said}\n`);
			} catch {
				// Standard error is as full; the code says it.
			}
			process.exit(exitCodes.usage);
		});
	}

	main(process.argv.slice(2)).then(
		(code) => {
			process.exitCode = code;
		},
		(error: unknown) => {
			if (error instanceof UserError) {
				process.stderr.write(`xv6-lab: ${visible(error.format())}\n`);
				process.exitCode = exitCodeOf(error);
				if (error.code === "cancelled") dieInterrupted();
				return;
			}
			const what = visible((error as Error).stack ?? String(error));
			process.stderr.write(`xv6-lab: this is a defect of xv6-lab, please report it.\n${what}\n`);
			process.exitCode = exitCodes.defect;
		},
	);
}

// A thread of another command runs this file, too.
if (isMainThread) start();
else void import("./sideBySide.ts").then(({ servesTests }) => servesTests());
