import { expect } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import type { KernelView } from "../../src/kernelview/kernelView.ts";
import { diagnosisFiles } from "../../src/lab/diagnosisFiles.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { type Diagnosis, renderDiagnoses } from "../../src/protocol/diagnosis.ts";
import { type CommandResult, Shell } from "../../src/session/shell.ts";
import { build, catalog } from "./lab.ts";

// An empty asm after a call keeps it from becoming a jump, which would leave its function out of the stack.
/** C of one fault in the kernel: what stands outside of functions, and the body of `fault_NAME()`. */
export interface KernelFault {
	readonly before?: string;
	readonly body: string;
}

/**
 * The bundled kernel with a menu of faults in it, one system call each: one build and one boot for all of them. `uptime` with a number of the
 * menu in a0 calls that fault; `prog NAME ARGUMENTS` runs the program's part NAME.
 */
export interface FaultKernelSpec {
	readonly faults: Readonly<Record<string, KernelFault>>;
	/** Bodies of the program's parts; `fault_NAME()` makes a kernel's fault. */
	readonly programs: Readonly<Record<string, string>>;
	/** Of the program, outside of functions. */
	readonly programBefore?: string;
	/** Where this kernel is otherwise: a file, and a text of it that is replaced. */
	readonly edits?: readonly (readonly [path: string, from: string, to: string])[];
}

const includes = ["types", "param", "memlayout", "riscv", "spinlock", "sleeplock", "proc", "defs"];
const tag = 0x7e57_0000;

function kernelSource({ faults }: FaultKernelSpec): string {
	const list = Object.entries(faults);
	const functions = list.map(
		([name, { before, body }]) =>
			`${before ? `${before}\n` : ""}NOINLINE static void\nfault_${name}(void)\n{\n  ${body.trim()}\n  asm volatile("");\n}\n`,
	);
	const cases = list.map(([name], i) => `  case ${i}: fault_${name}(); break;`);
	return `${includes.map((name) => `#include "${name}.h"`).join("\n")}
#define NOINLINE __attribute__((noinline))
extern struct proc *initproc;
${functions.join("\n")}
void
fault(int n)
{
  switch(n){
${cases.join("\n")}
  }
  asm volatile("");
}
`;
}

function programSource({ faults, programs, programBefore = "" }: FaultKernelSpec): string {
	const menu = Object.keys(faults).map((name, i) => `#define fault_${name}() ((int (*)(int))uptime)(${tag + i})`);
	const parts = Object.entries(programs).map(
		([name, body]) => `__attribute__((noinline)) void run_${name}(void)\n{\n  ${body.trim()}\n  asm volatile("");\n}\n`,
	);
	const cases = Object.keys(programs).map((name) => `  if(strcmp(argv[1], "${name}") == 0) run_${name}();`);
	return `#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"
${menu.join("\n")}
${programBefore}
${parts.join("\n")}
int
main(int argc, char *argv[])
{
${cases.join("\n")}
  exit(0);
}
`;
}

/** The tree with the menu in it. */
export async function faultTree(spec: FaultKernelSpec): Promise<Map<string, Uint8Array>> {
	const files = new Map(await catalog.workspace(undefined));
	const edit = (path: string, from: string, to: string) => {
		const text = new TextDecoder().decode(files.get(path));
		expect(text.split(from).length, `${path} has this once: ${from}`).toBe(2);
		files.set(path, utf8(text.replace(from, () => to)));
	};
	edit("Makefile", "$K/sysproc.o ", "$K/sysproc.o $K/faults.o ");
	edit("Makefile", "$U/_ls\\\n", "$U/_ls\\\n\t$U/_prog\\\n");
	edit(
		"kernel/sysproc.c",
		"sys_uptime(void)\n{\n",
		`sys_uptime(void)\n{\n  int n;\n  void fault(int);\n\n  argint(0, &n);\n  if((n & 0xffff0000) == ${tag})\n    fault(n & 0xffff);\n\n`,
	);
	for (const change of spec.edits ?? []) edit(...change);
	files.set("kernel/faults.c", utf8(kernelSource(spec)));
	files.set("user/prog.c", utf8(programSource(spec)));
	return files;
}

export interface FaultRun {
	readonly end: string;
	readonly result: CommandResult;
	readonly diagnoses: readonly Diagnosis[];
	/** As a student reads it, without what differs from run to run: see {@link readable}. */
	readonly text: string;
	readonly view: KernelView;
	readonly machine: Machine;
}

/** The kernel, booted to its prompt; each command begins there. */
export class FaultKernel {
	private constructor(
		readonly files: ReadonlyMap<string, Uint8Array>,
		readonly output: BuildOutput,
		readonly machine: Machine,
		readonly view: KernelView,
		private readonly shell: Shell,
		private readonly booted: ReturnType<Machine["snapshot"]>,
		private readonly source: Awaited<ReturnType<typeof diagnosisFiles>>,
	) {}

	static async boot(spec: FaultKernelSpec, harts = 3): Promise<FaultKernel> {
		const files = await faultTree(spec);
		const output = await build(files);
		const { machine } = await createMachine(output, { harts, seed: 0, translator: true });
		const view = observe(machine, output, undefined);
		const shell = Shell.on(machine, { breathe });
		const boot = await shell.waitForPrompt(1_500_000_000);
		expect(boot.kind).toBe("prompt");
		const source = await diagnosisFiles(new MemoryTree("faults", files));
		return new FaultKernel(files, output, machine, view, shell, machine.snapshot(), source);
	}

	/** To the prompt after the boot. */
	rewind(): void {
		this.machine.restore(this.booted);
		this.view.begin();
	}

	async run(command: string, budget = 200_000_000): Promise<FaultRun> {
		const { machine, view, shell } = this;
		this.rewind();
		const result = await shell.run(command, budget);
		const diagnoses = view.diagnose({ ...result.end, output: result.output }, this.source);
		return { end: result.end.kind, result, diagnoses, text: this.readable(renderDiagnoses(diagnoses)), view, machine };
	}

	/**
	 * Lines of the menu and the program are quoted instead of counted. Left out is what another compiler or another case of the menu would
	 * change: addresses, long counts, frames, buffers, which hart it was, and how a system call comes to the menu.
	 */
	readable(text: string): string {
		const line = (path: string, number: string) =>
			new TextDecoder().decode(this.files.get(path)).split("\n")[Number(number) - 1]?.trim() ?? "?";
		return text
			.replace(/(kernel\/faults\.c|user\/prog\.c):(\d+)/g, (_, path, number) => `«${line(path, number)}»`)
			.replace(/ {4}fault \(«case.*\n {4}sys_uptime.*\n {4}syscall.*\n {4}usertrap.*/g, "    the system call")
			.replace(/(\w+\/\w+\.[cSh]):\d+/g, "$1")
			.replace(/(?<!«[^»]*)0x[0-9a-f]{4,16}\b|(?<=sepc )0x[0-9a-f]+/g, "0x…")
			.replace(/\d{1,3}(?:,\d{3})+/g, "N")
			.replace(/\bbuf\[\d+\]/g, "buf[B]")
			.replace(/\b([Ff]rame) \d+/g, "$1 F")
			.replace(/\b([Hh]art) \d/g, "$1 H");
	}

	dispose(): void {
		this.shell.dispose();
		this.view.dispose();
		this.machine.dispose();
	}
}
