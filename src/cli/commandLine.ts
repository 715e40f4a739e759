import { type ParseArgsConfig, parseArgs } from "node:util";
import { UserError } from "../common/errors.ts";
import { exitCodeMeanings } from "./exitCodes.ts";

/** One option: what `parseArgs` needs of it, and what a person is told. */
export interface OptionSpec {
	readonly type: "string" | "boolean";
	readonly multiple?: boolean;
	/** Name of its value in the help, or the values that it may have. */
	readonly value?: string | readonly string[];
	readonly does: string;
	/** For ourselves: in no help. */
	readonly hidden?: boolean;
}

export type Options = Readonly<Record<string, OptionSpec>>;

/** One command: its options are parsed, explained and completed from here. */
export interface CommandSpec<T extends Options = Options> {
	/** What follows the name. */
	readonly takes: string;
	readonly does: string;
	readonly options: T;
	/** It parses its arguments, and explains them, by itself. */
	readonly own?: boolean;
}

/** Options of every command that makes a machine. */
export const machineOptions = {
	harts: { type: "string", value: "N", does: "harts, 1 to 8; default: what the tree's Makefile says" },
	memory: { type: "string", value: "SIZE", does: "RAM, such as 128M or 1G; default: what the tree says" },
	virtio: { type: "string", value: ["modern", "legacy"], does: "version of the disk device; default: the driver's" },
	seed: { type: "string", value: "S", does: "schedule of the harts; 0, the default, is plain round robin" },
	"no-jit": { type: "boolean", does: "interpret; same run, slower" },
} as const satisfies Options;

/** Options of every command that builds a tree. */
export const buildOptions = {
	toolchain: {
		type: "string",
		value: ["auto", "bundled", "host"],
		does: "compiler; auto takes the faster one that works",
	},
	jobs: { type: "string", value: "N", does: "compilers at a time" },
} as const satisfies Options;

const timeout = { type: "string", value: "SEC", does: "end with code 4 after so many seconds" } as const;
const coverage = {
	type: "string",
	value: "FILE",
	does: "which lines and jumps of kernel and programs were executed, for lcov's readers; a table on stderr",
} as const;
/** Faults on demand. */
const faults = {
	fail: {
		type: "string",
		value: "kalloc:N|all, disk:N|all",
		does: "kalloc's N-th call, or the disk's N-th request, fails; all: each in turn. Judged is the kernel",
	},
	crash: {
		type: "string",
		value: "write:N|all",
		does: "power is lost after the N-th write to the disk; the next boot's file system is checked",
	},
	irq: { type: "string", value: "N", does: "the timer's interrupt comes at the command's N-th instruction" },
} as const satisfies Options;
const dir = { type: "string", value: "DIR", does: "the tree; default: this folder" } as const;

const define = <T extends Options>(spec: CommandSpec<T>): CommandSpec<T> => spec;

export const newCommand = define({
	takes: "DIR",
	does: "make a lab workspace from the bundled kernel, never over an existing file",
	options: {
		lab: { type: "string", value: "ID", does: "the lab; without it the plain kernel" },
		solution: { type: "string", value: "TASK", does: "with the solution of this task, where it is installed" },
		list: { type: "boolean", does: "list the labs" },
	},
});

export const buildCommand = define({
	takes: "[DIR]",
	does: "kernel ELF and fs.img into DIR/build; diagnostics on stderr",
	options: {
		toolchain: buildOptions.toolchain,
		out: { type: "string", value: "DIR", does: "another folder for the results" },
		json: { type: "boolean", does: "result and diagnostics as JSON on stdout" },
		jobs: buildOptions.jobs,
		make: { type: "string", multiple: true, value: "NAME=VALUE", does: "a Makefile variable" },
	},
});

export const bootCommand = define({
	takes: "[DIR] | --kernel ELF [--disk IMG]",
	does: "interactive console (Ctrl-A X quits), or a script with --command, --until or --replay",
	options: {
		...machineOptions,
		...buildOptions,
		kernel: { type: "string", value: "ELF", does: "boot this kernel instead of a tree" },
		disk: { type: "string", value: "IMG", does: "its disk image" },
		bios: { type: "string", value: "FILE", does: "with --kernel: firmware, such as OpenSBI, that hands over to it" },
		pmp: { type: "string", value: ["on", "off"], does: "physical memory protection; off as in QEMU before 6.2" },
		command: {
			type: "string",
			multiple: true,
			value: "CMD",
			does: "type it at the prompt; the last prompt ends the run",
		},
		until: { type: "string", value: "REGEX", does: "end with code 0 when the console matches" },
		timeout,
		stats: { type: "boolean", does: "counters of the machine on stderr" },
		record: { type: "string", value: "FILE", does: "save what was typed, for --replay" },
		replay: {
			type: "string",
			value: "FILE",
			does: "type it again at the same instructions, and compare the final state",
		},
		persist: { type: "string", value: "IMG", does: "save the disk as the guest left it" },
		pcap: { type: "string", value: "FILE", does: "the packets of a network lab, for Wireshark" },
		gdb: {
			type: "string",
			value: "PORT",
			does: "wait for gdb on this port of the loopback address; it can go backwards",
		},
		wait: { type: "boolean", does: "with --gdb: stop at the first instruction until gdb continues" },
	},
});

export const runCommand = define({
	takes: "PROGRAM [ARG…]",
	does: "build, boot, run one program, and judge it where the lab has a test for it",
	options: {
		...machineOptions,
		...buildOptions,
		dir,
		timeout,
		"memory-report": { type: "string", value: "FILE", does: "what the kernel did to memory, as JSON" },
		tables: { type: "boolean", does: "the same as tables on stdout" },
		record: { type: "string", value: "FILE", does: "save the run as a file, for `xv6-lab replay`" },
		coverage,
		...faults,
	},
});

export const exploreCommand = define({
	takes: "PROGRAM [ARG…] | --boot",
	does: "one run under the detectors (races, lock order, lost wakeups), then many schedules; exit 1 if something is found",
	options: {
		boot: { type: "boolean", does: "watch the boot instead of a program, without other schedules" },
		schedules: { type: "string", value: "N", does: "schedules to try after the detectors' run (default: 50; 0: none)" },
		schedule: { type: "string", value: "TEXT", does: "only this one, as an earlier run printed it" },
		expect: { type: "string", value: "TEXT", does: "a schedule fails, too, if the program does not print this" },
		record: { type: "string", value: "FILE", does: "write the run up to the first finding, for replay and debugger" },
		harts: machineOptions.harts,
		memory: machineOptions.memory,
		virtio: machineOptions.virtio,
		seed: machineOptions.seed,
		...buildOptions,
		dir,
		json: { type: "boolean", does: "the findings as JSON on stdout" },
	},
});

export const replayCommand = define({
	takes: "FILE",
	does: "a recorded run again (run --record), to the same state",
	options: { "no-jit": machineOptions["no-jit"] },
});

export const testCommand = define({
	takes: "",
	does: "every test of the lab, with verdicts",
	options: {
		...machineOptions,
		...buildOptions,
		jobs: { type: "string", value: "N", does: "compilers, and machines with tests, at a time; default: by processors" },
		dir,
		lab: { type: "string", value: "ID", does: "judge by this lab; default: the one that the tree belongs to" },
		manifest: { type: "string", value: "FILE", does: "judge by this lab.json" },
		"allow-unchecked": { type: "boolean", does: "what could not be checked does not fail a test" },
		script: { type: "string", value: "FILE", does: "judge by this grade script; default: the tree's own" },
		program: { type: "string", value: "NAME", does: "the tests that this program has by name, such as usertests" },
		filter: { type: "string", multiple: true, value: "TEXT", does: "only tests with this text in their title" },
		test: { type: "string", multiple: true, value: "ID", does: "only this test" },
		task: { type: "string", multiple: true, value: "ID", does: "only the tests of this task" },
		junit: { type: "string", value: "FILE", does: "write a JUnit report" },
		results: { type: "string", value: "FILE", does: "write the points of a grade script's tests, as gradelib does" },
		json: { type: "boolean", does: "verdicts as JSON on stdout" },
		coverage,
		...faults,
		seeds: { type: "string", value: "N", does: "run all with N schedules" },
		explore: {
			type: "boolean",
			does: "watch each test for races, lock order and lost wakeups, and try more schedules",
		},
		schedules: { type: "string", value: "N", does: "with --explore: schedules of each test (default: 50; 0: none)" },
		shard: { type: "string", value: "I/N", does: "only every N-th test, from the I-th on" },
		timeout: { type: "string", value: "SEC", does: "end each test, and the boot, after so many seconds" },
	},
});

export const gradeCommand = define({
	takes: "CLASSDIR | report FILE | verify FILE | merge FILE… | autograder DIR",
	does: "a class: every submission built and judged by a lab, into a file that can be resumed, merged and checked",
	options: {
		lab: { type: "string", value: "ID", does: "the lab that judges" },
		script: { type: "string", value: "FILE", does: "or the course's own grade script, on each tree's own programs" },
		jobs: { type: "string", value: "N", does: "submissions at a time; default: by processors and memory" },
		shard: { type: "string", value: "I/N", does: "only every N-th submission, from the I-th on" },
		out: { type: "string", value: "FILE", does: "the results, JSON Lines; default: results.jsonl" },
		policy: { type: "string", value: "FILE", does: "schedules, detectors and limits, as JSON" },
		report: { type: "string", value: "DIR", does: "write the class page, a page a student, and files for LMSs" },
		runs: { type: "boolean", does: "with --report: the run of each failed test, for xv6-lab replay" },
		names: { type: "boolean", does: "name the students in reports; without it they are numbered" },
		"retry-stopped": { type: "boolean", does: "judge again what a limit has stopped" },
		sample: { type: "string", value: "P%", does: "verify: how much of the results; default: 5%" },
		class: { type: "string", value: "DIR", does: "verify: the folder of the class; default: where it was" },
		judge: { type: "boolean", hidden: true, does: "how the command starts itself for some submissions" },
	},
});

export const labCommand = define({
	takes: "init STARTER SOLUTION DIR | check DIR",
	does: "for who writes a lab: make its folder from two trees; say what is missing in it",
	options: { toolchain: buildOptions.toolchain },
});

export const inspectCommand = define({
	takes: "[DIR]",
	does: "processes, regions, page tables, frames, faults and findings as tables",
	options: {
		...machineOptions,
		...buildOptions,
		command: { type: "string", multiple: true, value: "CMD", does: "run it first" },
		json: { type: "boolean", does: "the memory report as JSON" },
		"page-tables": { type: "boolean", does: "each page table, entry by entry" },
		walk: {
			type: "string",
			multiple: true,
			value: "PID:ADDRESS",
			does: "the Sv39 walk of an address; pid 0: the kernel",
		},
		log: { type: "string", value: "LINES", does: "that many lines of the fault log" },
		"stop-at-fault": { type: "string", value: "N", does: "stop the command at its N-th page fault" },
		timeout,
	},
});

export const benchCommand = define({
	takes: "",
	does: "the performance table: our machine beside QEMU where it is installed",
	options: {
		repeats: { type: "string", value: "N", does: "how often; the medians are shown" },
		usertests: { type: "boolean", does: "with usertests" },
		only: { type: "string", value: "REGEX", does: "only works with such a name" },
		harts: { type: "string", multiple: true, value: "N", does: "with so many harts; default 1, 3 and 8" },
		side: { type: "string", multiple: true, value: "on|off|qemu", does: "only the translator, without it, or QEMU" },
		json: { type: "boolean", does: "every session's figures as JSON instead of the table" },
		save: { type: "string", value: "FILE", does: "those figures into a file, beside the table" },
		session: { type: "string", hidden: true, does: "how the command starts itself for one session" },
	},
});

/** Parses by a command's definition; the complaint is a UserError with the command's usage. */
export function parseCommand<T extends Options>(argv: string[], name: string, spec: CommandSpec<T>) {
	return parse(argv, spec.options, usageOf(name, spec));
}

/** `parseArgs` whose complaint is a UserError with the command's usage. */
export function parse<T extends NonNullable<ParseArgsConfig["options"]>>(argv: string[], options: T, usage: string) {
	try {
		return parseArgs({ args: argv, allowPositionals: true, options });
	} catch (error) {
		throw new UserError("usage", (error as Error).message.split("\n")[0] as string, `Write: xv6-lab ${usage}.`);
	}
}

/** Parses a command that takes a program and its arguments. No option of ours has one letter: those are the program's, as in `usertests -q`. */
export function parseProgram<T extends Options>(argv: string[], name: string, spec: CommandSpec<T>) {
	const mark = "\0";
	const end = argv.indexOf("--");
	const isTheirs = (arg: string, at: number) => /^-[^-]/.test(arg) && (end < 0 || at < end);
	const { values, positionals } = parseCommand(
		argv.map((arg, at) => (isTheirs(arg, at) ? mark + arg : arg)),
		name,
		spec,
	);
	return { values, positionals: positionals.map((word) => word.replace(mark, "")) };
}

/** One line: the name, what it takes, and its options in short. */
function usageOf(name: string, { takes, options }: CommandSpec): string {
	const shown = Object.entries(options).filter(([, option]) => !option.hidden);
	const words = shown.map(([key, option]) => `[${flag(key, option)}]${option.multiple ? "…" : ""}`);
	return [name, takes, ...words].filter(Boolean).join(" ");
}

/** `xv6-lab NAME --help`. */
export function helpOf(name: string, spec: CommandSpec): string {
	const shown = Object.entries(spec.options).filter(([, option]) => !option.hidden);
	const rows = shown.map(([key, option]) => [
		flag(key, option),
		option.does + (option.multiple ? " (repeatable)" : ""),
	]);
	const width = Math.max(0, ...rows.map(([left = ""]) => left.length));
	const list = rows.map(([left = "", right]) => `  ${left.padEnd(width)}  ${right}`);
	const head = ["xv6-lab", name, spec.takes].filter(Boolean).join(" ");
	return [head, `  ${spec.does}`, "", "Options:", ...list, ""].join("\n");
}

/** `xv6-lab help`. */
export function helpOfAll(commands: Readonly<Record<string, CommandSpec>>): string {
	const rows = Object.entries(commands).map(
		([name, { takes, does }]) => `  ${["xv6-lab", name, takes].filter(Boolean).join(" ")}\n      ${does}`,
	);
	const codes = Object.entries(exitCodeMeanings).map(([code, means]) => `  ${code.padStart(3)}  ${means}`);
	return `xv6-lab: the xv6 operating-systems lab, in a shell

${rows.join("\n")}

'xv6-lab COMMAND --help' explains the options. 'xv6-lab completion bash|zsh|fish' prints a completion script.

Exit codes:
${codes.join("\n")}
  otherwise the guest's own code
`;
}

function flag(key: string, { value }: OptionSpec): string {
	if (value === undefined) return `--${key}`;
	return `--${key} ${typeof value === "string" ? value : value.join("|")}`;
}

export const dapCommand = define({
	takes: "[DIR]",
	does: "the debugger for any editor: speaks the Debug Adapter Protocol on standard input and output",
	options: {
		toolchain: buildOptions.toolchain,
		"no-jit": machineOptions["no-jit"],
		"no-wait": { type: "boolean", does: "an idle guest's timers come at once, not in real time" },
	},
});

export const qemuCommand = define({
	takes: "ARG…",
	does: "takes qemu-system-riscv64's arguments as xv6's Makefiles give them: make qemu QEMU=\"xv6-lab qemu\"",
	options: {},
	own: true,
});
