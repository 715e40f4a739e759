import { UserError } from "../common/errors.ts";
import { exitCodes } from "./exitCodes.ts";

/** One line of help and a lazily loaded implementation: a command costs nothing until it is called. */
interface Command {
	readonly usage: string;
	readonly does: string;
	load(): Promise<(argv: string[]) => Promise<number>>;
}

const commands: Record<string, Command> = {
	new: {
		usage: "new DIR [--lab ID]",
		does: "make a lab workspace from the bundled kernel (never over an existing file)",
		load: async () => (await import("./new.ts")).runNew,
	},
	build: {
		usage: "build [DIR] [--toolchain auto|bundled|host] [--out DIR] [--json] [--jobs N] [--make NAME=VALUE]",
		does: "kernel ELF and fs.img; diagnostics on stderr",
		load: async () => (await import("./build.ts")).runBuild,
	},
	boot: {
		usage: "boot [DIR] | --kernel ELF [--disk IMG] [--command CMD]… [--until REGEX] [--timeout SEC] [--stats]",
		does: "interactive console, or scripted with --command",
		load: async () => (await import("./boot.ts")).runBoot,
	},
	run: {
		usage: "run PROGRAM [ARG…] [--dir DIR] [--memory-report FILE.json] [--record FILE]",
		does: "build, boot and run one program",
		load: async () => (await import("./run.ts")).runRun,
	},
	replay: {
		usage: "replay FILE [--no-jit]",
		does: "a recorded run again (run --record), to the same state",
		load: async () => (await import("./replay.ts")).runReplay,
	},
	test: {
		usage: "test [--dir DIR] [--lab ID] [--junit FILE] [--json] [--seeds N] [--shard i/n]",
		does: "every test of the lab, with verdicts",
		load: async () => (await import("./test.ts")).runTest,
	},
	inspect: {
		usage:
			"inspect [DIR] [--command CMD]… [--json] [--page-tables] [--walk PID:ADDRESS]… [--log LINES] [--stop-at-fault N]",
		does: "processes, regions, page tables, frames, faults and findings as tables",
		load: async () => (await import("./inspect.ts")).runInspect,
	},
	bench: {
		usage: "bench [--repeats N] [--usertests] [--only REGEX] [--harts N]…",
		does: "the performance table: our machine beside QEMU where it is installed",
		load: async () => (await import("./bench.ts")).runBench,
	},
};

function help(): string {
	const rows = Object.values(commands).map(({ usage, does }) => `  xv6-lab ${usage}\n      ${does}`);
	return `xv6-lab: the xv6 operating-systems lab, in a shell

${rows.join("\n")}

Exit codes: 0 done; 1 a test or program failed; 2 wrong usage or unreadable input; 3 kernel panic;
4 time-out; 5 build failed; 130 interrupted by Ctrl-C; otherwise the guest's own code.
`;
}

async function main(argv: string[]): Promise<number> {
	const [name, ...rest] = argv;
	if (!name || name === "help" || name === "--help" || name === "-h") {
		process.stdout.write(help());
		return name ? exitCodes.done : exitCodes.usage;
	}
	const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
	if (!command) {
		process.stderr.write(`xv6-lab: there is no command '${name}'. 'xv6-lab help' lists them.\n`);
		return exitCodes.usage;
	}
	if (rest.includes("--help") || rest.includes("-h")) {
		process.stdout.write(`xv6-lab ${command.usage}\n    ${command.does}\n`);
		return exitCodes.done;
	}
	try {
		const run = await command.load();
		return await run(rest);
	} catch (error) {
		if (error instanceof UserError) {
			process.stderr.write(`xv6-lab: ${error.format()}\n`);
			return exitCodeOf(error);
		}
		throw error;
	}
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
		case "outside-tree":
		case "limit-reached":
			return exitCodes.buildFailed;
		case "cancelled":
			return exitCodes.interrupted;
		default:
			return exitCodes.usage;
	}
}

main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		process.stderr.write(
			`xv6-lab: this is a defect of xv6-lab, please report it.\n${(error as Error).stack ?? error}\n`,
		);
		process.exitCode = 70;
	},
);
