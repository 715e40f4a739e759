import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../common/errors.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { buildImage, type Image } from "./bench/image.ts";
import { benchFile } from "./bench/json.ts";
import { buildNative, runNative } from "./bench/nativeRun.ts";
import { ourSession, serveSession } from "./bench/ourSession.ts";
import { qemuSession, qemuVersion } from "./bench/qemuSession.ts";
import { type Measured, report, type Side, sessionKey } from "./bench/report.ts";
import { type SessionResult, usertests, type Work, works } from "./bench/works.ts";
import { benchCommand, parseCommand } from "./commandLine.ts";
import { exitCodes } from "./exitCodes.ts";
import { wholeNumber } from "./options.ts";

/** `xv6-lab bench`: our machine, with and without translator, beside QEMU where it is installed; the table on stdout. */
export async function runBench(argv: string[]): Promise<number> {
	const { values } = parseCommand(argv, "bench", benchCommand);
	if (values.session !== undefined) {
		await serveSession(values.session);
		return exitCodes.done;
	}
	const repeats = wholeNumber(values.repeats ?? "3", "--repeats", 1, 100);
	const harts = (values.harts ?? ["1", "3", "8"]).map((text) => wholeNumber(text, "--harts", 1, 8));
	const chosen = choose([...works, ...(values.usertests ? [usertests] : [])], values.only);
	const measured = await measure(chosen, [...new Set(harts)], repeats, sidesOf(values.side));
	const json = `${JSON.stringify(benchFile(measured, new Date()))}\n`;
	if (values.save !== undefined) await atomicWrite([{ path: values.save, bytes: new TextEncoder().encode(json) }]);
	process.stdout.write(values.json ? json : report(measured));
	return exitCodes.done;
}

function choose(all: readonly Work[], only: string | undefined): Work[] {
	if (only === undefined) return [...all];
	try {
		const wanted = new RegExp(only);
		return all.filter(({ name, group }) => wanted.test(name) || wanted.test(group));
	} catch (error) {
		throw new UserError("usage", `--only: ${(error as Error).message}`, "Write a JavaScript regular expression.");
	}
}

const allSides: readonly Side[] = ["on", "off", "qemu"];

function sidesOf(asked: readonly string[] | undefined): readonly Side[] {
	const unknown = asked?.find((side) => !allSides.includes(side as Side));
	if (unknown !== undefined) throw new UserError("usage", `--side ${unknown} is not known`, "It is on, off or qemu.");
	return asked ? allSides.filter((side) => asked.includes(side)) : allSides;
}

async function measure(
	chosen: readonly Work[],
	harts: readonly number[],
	repeats: number,
	asked: readonly Side[],
): Promise<Measured> {
	const qemu = qemuVersion();
	const folder = await mkdtemp(join(tmpdir(), "xv6-lab-bench-"));
	try {
		const image = await buildImage(folder);
		const sessions = new Map<string, SessionResult[]>();
		const native = new Map<string, number[]>();
		const program = buildNative(join(folder, "native"), image.compute);
		const sides = asked.filter((side) => side !== "qemu" || qemu !== undefined);
		for (let repeat = 0; repeat < repeats; repeat++) {
			for (const count of harts) {
				const list = chosen.filter((work) => work.harts.includes(count));
				for (const side of sides) {
					const result = await session(side, image, count, list);
					const key = sessionKey(side, count);
					sessions.set(key, [...(sessions.get(key) ?? []), result]);
					say(`${repeat + 1}/${repeats} ${key}: boot ${result.bootProcess.seconds.toFixed(2)} s`);
				}
			}
			if (program) for (const work of chosen) compareNative(work, program, native, sessions);
		}
		sameOutput([...sessions]);
		return { qemu, repeats, machine: machineName(), works: chosen, sessions, native };
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function session(side: Side, image: Image, harts: number, list: readonly Work[]): Promise<SessionResult> {
	const { kernel, disk } = image;
	if (side === "qemu") return qemuSession(kernel, disk, harts, list);
	return ourSession({ kernel, disk, harts, jit: side, works: list, snapshots: harts === 1 });
}

function compareNative(
	work: Work,
	program: string,
	native: Map<string, number[]>,
	sessions: ReadonlyMap<string, readonly SessionResult[]>,
): void {
	if (!work.native) return;
	const { seconds, text } = runNative(program, work.native);
	native.set(work.name, [...(native.get(work.name) ?? []), seconds]);
	const runs = [...sessions.values()].flat().flatMap(({ runs }) => runs);
	const other = runs.find((run) => run.name === work.name && run.text !== text);
	if (other) throw new Error(`${work.name}: natively '${text}', in a machine '${other.text}'`);
}

/** A fast machine that computes something else has not won. */
function sameOutput(sessions: readonly (readonly [string, readonly SessionResult[]])[]): void {
	const seen = new Map<string, string>();
	for (const [key, list] of sessions) {
		for (const { name, text } of list.flatMap(({ runs }) => runs)) {
			// usertests prints what its tests race for, in the order of the race.
			if (name === usertests.name ? /ALL TESTS PASSED/.test(text) : (seen.get(name) ?? text) === text) {
				seen.set(name, text);
				continue;
			}
			throw new Error(`${name} (${key}) printed:\n${text}\nexpected:\n${seen.get(name) ?? "ALL TESTS PASSED"}`);
		}
	}
}

function machineName(): string {
	return `${availableParallelism()} cores (${cpus()[0]?.model.trim() || "unknown"}), Node ${process.versions.node}`;
}

function say(text: string): void {
	process.stderr.write(`xv6-lab bench: ${text}\n`);
}
