import { afterAll, describe, expect, test } from "vitest";
import type { BuildOutput } from "../../../src/build/types.ts";
import { breathe, createMachine, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { Bench } from "../../../src/explore/bench.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { markedPlaces, recordSchedule } from "../../../src/explore/record.ts";
import { parseScheduleText } from "../../../src/explore/scheduleText.ts";
import { budgetFor, kindOfFailure, search } from "../../../src/explore/search.ts";
import { renderHarm } from "../../../src/explore/story.ts";
import { parseRecording, recordedMachine, serializeRecording } from "../../../src/machine/recording.ts";
import { RunController } from "../../../src/session/runController.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { type Bug, bugs, kernelOf, planted } from "./corpus.ts";

afterAll(closeToolchains);

const harts = 3;
const judge = ({ output }: { readonly output: string }) => (output.includes("racer OK") ? undefined : "output");
const bugOf = (name: string): Bug => bugs.find((bug) => bug.name === name) as Bug;

async function seen(output: BuildOutput, command: string) {
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const seen = await explore({
		createMachine: (watch) => explorableMachine(output, { harts, translator: true }, watch),
		kernel,
		command,
		schedule: exploreSchedule(0),
		sites: true,
		breathe,
		budget: 60_000_000,
	});
	return { kernel, ...seen };
}

describe("a schedule that shows harm", () => {
	const names = [
		"kalloc releases between reading and moving the head",
		"piperead drops the lock between check and sleep",
	];
	test.each(process.env.FULL === "1" ? names : names.slice(0, 1))(
		"%s: is found, small, and the same on another machine",
		async (name) => {
			const bug = bugOf(name);
			const output = await build(planted(await kernelOf(bug.lab), bug));
			const command = `racer ${bug.works}`;
			const { kernel, sites } = await seen(output, command);
			const { machine } = await createMachine(output, { harts, translator: true });
			const { harm, covered } = await search({ machine, kernel, command, sites, schedules: 200, judge, breathe });
			machine.dispose();
			if (!harm) throw new Error("no schedule failed");
			expect(covered.stopped).toBeGreaterThan(0);
			expect(covered.stopped).toBeLessThanOrEqual(covered.places);
			const story = renderHarm(harm);
			expect(harm.text.length, story).toBeLessThanOrEqual(80);
			expect(harm.stops.length, story).toBeLessThanOrEqual(harm.decisions);
			for (const { frame } of harm.stops) expect(frame.line, story).toBeGreaterThan(0);

			const { machine: other } = await createMachine(output, { harts, translator: false });
			const { bench } = await Bench.boot({ machine: other, kernel, breathe });
			const schedule = parseScheduleText(harm.text);
			const run = await bench.run(command, schedule, budgetFor(harm.plain));
			expect(kindOfFailure(run) ?? judge(run)).toBe(harm.failure.kind);
			expect(other.stateHash()).toBe(harm.stateHash);
			bench.dispose();
			other.dispose();
		},
	);
});

test("a recording of a finding ends right before its second access", async () => {
	const bug = bugOf("munmap without the family's lock");
	const output = await build(planted(await kernelOf(bug.lab), bug));
	const command = `racer ${bug.works}`;
	const { kernel, findings } = await seen(output, command);
	const second = findings[0]?.places.at(-1);
	if (!second) throw new Error("nothing found");
	const { machine } = await createMachine(output, { harts, translator: true });
	const places = markedPlaces(findings[0]?.places ?? []);
	const at = { schedule: exploreSchedule(0), before: second, places };
	const request = { ...at, machine, kernel, command, title: command, breathe };
	const file = await serializeRecording(await recordSchedule(request));
	machine.dispose();

	const recording = await parseRecording(file);
	expect(recording.marks?.map(({ hart, text }) => [hart, text])).toEqual(places.map(({ hart, text }) => [hart, text]));
	const again = await recordedMachine(recording, { core: await loadCore() }, "on");
	const controller = new RunController(again, { breathe });
	const look = ({ kind }: { readonly kind: string }) => kind === "requested" || undefined;
	await controller.run({ step: () => 20_000_000, look, expectsInput: true });
	const hart = again.harts[second.hart];
	const place = kernel.place(Number(hart?.pc));
	expect([place.function, place.line]).toEqual([second.stack[0]?.function, second.stack[0]?.line]);
	expect(Number(hart?.steps)).toBe(second.step);
	const [first, last] = recording.marks ?? [];
	expect(last?.at).toBe(again.instret);
	expect(first?.at).toBeLessThan(again.instret);
	controller.dispose();
	again.dispose();
});
