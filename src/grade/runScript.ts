import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { observeKernel } from "../kernelview/observe.ts";
import { Machine } from "../machine/machine.ts";
import { GradeGuest } from "./guest.ts";
import { GradeHost, type HostParts } from "./host.ts";
import { Interpreter, ScriptError } from "./interpreter.ts";
import { gradeLimits } from "./limits.ts";
import { HostPrograms, networkPeers } from "./programs.ts";
import gradehost from "./python/gradehost.py";
import gradelib from "./python/gradelib.py";
import os from "./python/os.py";
import re from "./python/re.py";
import subprocess from "./python/subprocess.py";
import type { GradeBuild, GradeJob, GradeMessage } from "./types.ts";

const library = { gradehost, gradelib, os, re, subprocess };

/** Runs one script from its first line to its last, in an interpreter and a machine of its own. Ends with an `end` message. */
export async function runScript(
	{ script, run }: GradeJob,
	post: (message: GradeMessage) => void,
	now: () => number,
): Promise<void> {
	const parts = run && (await openParts(run.build, now));
	const host = new GradeHost(script.text, run?.tests && new Set(run.tests), parts, post);
	const files = new Map(script.files);
	for (const [name, text] of Object.entries(library)) files.set(`lib/${name}.py`, text);
	let printed = 0;
	try {
		const interpreter = await Interpreter.create({
			files,
			answer: (question) => host.answer(question),
			print: (line) => {
				printed += line.length + 1;
				if (printed <= gradeLimits.printed) post({ kind: "print", text: line });
			},
		});
		post({ kind: "alive" });
		interpreter.run(script.text);
		if (!host.done) throw new ScriptError("it does not call run_tests()");
		post({ kind: "end" });
	} catch (error) {
		if (!(error instanceof ScriptError)) throw error;
		post({ kind: "end", failure: error.message });
	} finally {
		parts?.view.dispose();
		parts?.guest.dispose();
	}
}

async function openParts(build: GradeBuild, now: () => number): Promise<HostParts> {
	const { wish, machine: params } = build;
	const machine = await Machine.create(
		{
			kernel: build.kernel,
			disk: build.disk,
			harts: params.harts ?? wish.harts,
			memoryBytes: params.memoryMiB === undefined ? wish.memoryBytes : params.memoryMiB * 1024 * 1024,
			virtio: params.virtio ?? wish.virtio,
			pmp: wish.pmp,
			...(wish.network ? { network: wish.network } : {}),
			seed: params.seed ?? 0,
			jit: params.translator ? "on" : "off",
		},
		{ core: build.core },
	);
	const symbols = new ProgramSymbols("kernel", build.kernel);
	const view = observeKernel(machine, build, [], { steps: false });
	const guest = new GradeGuest({ machine, symbols, now, onPowerOn: () => view.begin() });
	return { guest, view, programs: new HostPrograms(symbols, networkPeers(machine.network)), sources: build.sources };
}
