import { beforeAll, describe, expect, test } from "vitest";
import { makeCards } from "../../../webview/model/cards.ts";
import { changesBetween } from "../../../webview/model/changes.ts";
import { allPids, columnAt, defaultPids, isScenery } from "../../../webview/model/columns.ts";
import { Families } from "../../../webview/model/families.ts";
import { since } from "../../../webview/model/format.ts";
import { frameMap } from "../../../webview/model/frames.ts";
import { branchesIn, lanesIn, overview, windowAround } from "../../../webview/model/lanes.ts";
import { filterLog, sliceOf } from "../../../webview/model/logRows.ts";
import { memoryAt } from "../../../webview/model/memory.ts";
import { ownerStrip } from "../../../webview/model/owners.ts";
import { makeRows } from "../../../webview/model/rows.ts";
import { continues, indexAt, indexOfEntry, type Run } from "../../../webview/model/run.ts";
import { pageStory } from "../../../webview/model/story.ts";
import { accesses, tableLines, walk } from "../../../webview/model/sv39.ts";
import { caption, eventText, kindOf } from "../../../webview/model/words.ts";
import { recordedRun } from "./recordedRun.ts";

const bufPage1 = 0x3fffffb000;

describe("prodcons3 on the kernel before task 3b", () => {
	let run: Run;
	const families = new Families();
	const last = () => run.events.length - 1;
	const columns = (index: number) => [4, 5, 6].map((pid) => columnAt(run, index, pid, families));
	beforeAll(async () => {
		run = await recordedRun("kernel-2b", ["prodcons3"]);
	}, 60_000);

	test("the same model again, and more of it, are one run; another boot and another future are not", () => {
		const { model } = run;
		const upTo = (count: number) => ({ ...model, log: model.log.slice(0, count) });
		expect([continues(model, { ...model }), continues(upTo(5), model)]).toEqual([true, true]);
		expect([continues(model, upTo(5)), continues(model, upTo(0))]).toEqual([false, false]);
		const later = model.log.map((entry) => ({ ...entry, instret: entry.instret + 1 }));
		expect(continues(model, { ...model, log: later })).toBe(false);
		expect(continues(upTo(0), model)).toBe(true);
		expect(continues({ ...upTo(0), instret: model.instret + 1 }, model)).toBe(false);
	});

	test("a panic that both the verdict and the kernel's findings tell is one card, with its moment and its lines", () => {
		const source = { file: "kernel/vm.c", line: 342, function: "uvmcopyshared" };
		const evidence = { pids: [4], frames: [], addresses: [], sources: [source], log: [] };
		const finding = {
			id: "kernel-panic",
			key: "",
			severity: "error",
			sentence: "s",
			instret: run.model.instret,
		} as const;
		const model = { ...run.model, findings: [{ ...finding, evidence }] };
		const diagnosis = { kind: "panic", severity: "error", cause: "It panicked.", effects: [], notes: [] } as const;
		const info = {
			outcome: "errored" as const,
			reasons: [],
			explanations: [],
			diagnoses: [{ ...diagnosis, evidence: ["a fact"], frames: [] }],
		};
		const cards = makeCards({ ...run, model }, info, families);
		expect(cards.map(({ title, sentence, facts, sources }) => ({ title, sentence, facts, sources }))).toEqual([
			{ title: "The kernel panicked", sentence: "It panicked.", facts: ["a fact"], sources: [source] },
		]);
		expect(cards[0]?.event).toBe(last());
		// Without the diagnosis the finding stands for itself.
		expect(
			makeCards({ ...run, model }, { ...info, diagnoses: [] }, families).map(({ sentence }) => sentence),
		).toContain("s");
	});

	test("guest time before the run's begin has its sign", () => {
		expect(since(1_000_000, 480_000)).toBe("−0.52 M");
		expect(since(0, 3_840_000)).toBe("+3.84 M");
		expect(since(0, 2_500_000_000)).toBe("+2.50 G");
	});

	test("the time line has a column an event, in the order in which their effects came", () => {
		expect(run.events.map((event) => `${event.entry?.pid ?? ""} ${caption(event)}`)).toEqual([
			" start",
			...["2 fork", "3 fork", "4 exec", "4 mmap", "4 store", "4 fork", "5 store", "5 store", "5 exit"],
			...["4 fork", "6 load", "6 load", "6 exit", "4 exit", "3 exit", " now"],
		]);
		const times = run.events.map(({ t }) => t);
		expect(times).toEqual(times.toSorted((a, b) => a - b));
		expect(run.events.map(kindOf).slice(4, 7)).toEqual(["map", "fault", "fork"]);
		expect(run.events.slice(0, -1).every(({ step }) => step !== undefined)).toBe(true);
		expect(indexAt(run, 0)).toBe(0);
		expect(indexAt(run, run.model.instret)).toBe(last());
		expect(indexOfEntry(run, run.events[5]?.entry?.id ?? -1)).toBe(5);
	});

	test("processes that have ended are there as they were last; those to come have their place", () => {
		expect(allPids(run)).toEqual([1, 2, 3, 4, 5, 6]);
		expect([1, 2, 3].map((pid) => isScenery(run, pid))).toEqual([true, true, false]);
		expect(defaultPids(run, last(), 6, [])).toEqual([3, 4, 5, 6]);
		expect(defaultPids(run, last(), 2, [4])).toContain(4);
		expect(columns(last()).map(({ life }) => life)).toEqual(["ended", "ended", "ended"]);
		expect(columns(4).map(({ life }) => life)).toEqual(["live", "future", "future"]);
		expect(columns(11).map(({ life }) => life)).toEqual(["live", "ended", "live"]);
	});

	test("a row says whether those who have a shared page have one frame there", () => {
		const rows = makeRows(run, columns(last()));
		const signs = rows.flatMap((row) => (row.kind === "page" && row.sign ? [[row.va, row.sign.same]] : []));
		expect(signs).toEqual([
			[0x3fffffd000, true],
			[0x3fffffc000, false],
			[bufPage1, false],
		]);
		const names = rows.flatMap((row) => (row.kind === "page" ? (row.head?.name ?? []) : [`(${row.text})`]));
		expect(names).toEqual([
			...["Trampoline", "Trapframe", "Shared region 1", "(256 GiB not mapped)"],
			...["Stack", "Guard page", "Data", "Text"],
		]);
	});

	test("the story of a page tells whose frame it was, and what came of it", () => {
		const texts = pageStory(run, 6, bufPage1).map(({ event, text }) => `${event + 1} ${text.replace(/\d{5}/, "N")}`);
		expect(texts).toEqual([
			"9 before that, frame N was 5's, at 0x3fffffc000",
			"11 fork() of 4: promised, no frame yet",
			"12 load fault: got frame N, rw-u",
			"14 exit(0): gone with the process",
		]);
	});

	test("a walk goes through the tables of that moment, and says why an access faults", () => {
		const space = (index: number) => columns(index)[2]?.space;
		const before = walk(space(10) as never, bufPage1);
		expect(before.stop).toEqual({ level: 0, index: 507, why: "not-valid" });
		expect(accesses(before).map(({ allowed }) => allowed)).toEqual([false, false, false]);
		const after = walk(space(11) as never, bufPage1);
		expect(after.levels.map(({ index }) => index)).toEqual([255, 511, 507]);
		expect(accesses(after).map(({ access, allowed, why }) => `${access} ${allowed} ${why}`)).toEqual([
			...["load true ", "store true ", "fetch false X is 0"],
		]);
		expect(tableLines(after.levels[2] as never).map((line) => ("fold" in line ? line.fold : line.index))).toEqual([
			507, 507, 1, 509, 510, 511,
		]);
		const guard = walk(space(11) as never, 0x2000);
		expect(accesses(guard)[0]?.why).toBe("U is 0: only the kernel may");
	});

	test("findings are cards with the moment that shows them and a picture of their evidence", () => {
		const cards = makeCards(run, undefined, families);
		expect(cards.map(({ title }) => title)).toEqual([
			"One shared page, different frames: 5 and 6 do not see each other's writes",
			"6 reads 0x05050505: a fresh frame that nobody wrote",
		]);
		expect(cards[0]).toMatchObject({ first: 11, event: 12, page: { pid: 6, va: bufPage1 } });
		const signs = cards[0]?.picture.flatMap((line) =>
			line.flatMap((token) => (token.kind === "sign" ? [token.same] : [])),
		);
		expect(signs).toEqual([false, false, true].slice(0, signs?.length));
		expect(signs?.[0]).toBe(false);
	});

	test("changes between two moments are told by process, region and page", () => {
		const [before, after] = [memoryAt(run, 4), memoryAt(run, 5)];
		const changes = changesBetween(run, before as never, after as never);
		expect(changes.map(({ pid, what, before: was, after: is }) => [pid, what, was, is.replace(/\d+/, "N")])).toEqual([
			[4, "1 page at 0x3fffffd000 (mapped region (shared, family 0))", "promised", "frame N, rw-u"],
		]);
		expect(changesBetween(run, after as never, after as never)).toEqual([]);
	});

	test("every used frame has its use", () => {
		const map = frameMap(run, memoryAt(run, 11) as never);
		const unknown = map.segments.filter(({ text }) => text.startsWith("K?"));
		expect(unknown).toEqual([]);
		expect(map.segments.reduce((sum, { count }) => sum + count, 0)).toBe(run.model.frames.letters.length);
		expect(map.segments.some(({ text }) => text === "4=6")).toBe(true);
		const frame = columns(11)[2]?.space && walk(columns(11)[2]?.space as never, bufPage1).page;
		const strip = ownerStrip(run, ((frame ?? 0) - Number(run.model.memoryBase)) / 4096, 0, run.events.length);
		expect(strip.map(({ owners }) => owners.map(({ pid }) => pid).join("")).join(".")).toBe("........5...6.6....");
	});

	test("lanes, forks and the overview of the run", () => {
		const all = { from: 0, to: run.events.length };
		const { lanes } = lanesIn(run, all, 8);
		expect(lanes.map(({ pid, from, to }) => [pid, from, to])).toEqual([
			[2, 0, 16],
			[3, 1, 15],
			[4, 2, 14],
			[5, 6, 9],
			[6, 10, 13],
		]);
		expect(branchesIn(run, all, lanes).map(({ parent, child }) => [parent, child])).toEqual([
			[2, 3],
			[3, 4],
			[4, 5],
			[4, 6],
		]);
		expect(lanesIn(run, all, 2)).toMatchObject({ left: 3 });
		const bins = overview(run, 5, [11]);
		expect(bins.map(({ marked }) => marked)).toEqual([false, false, false, true, false]);
		expect(bins.reduce((sum, { faults }) => sum + faults, 0)).toBe(5);
	});

	test("a fault is told by the name of its page", () => {
		expect(eventText(run, run.events[11] as never)).toMatch(
			/^load fault at Shared region 1, page 1 of 3: got frame \d+$/,
		);
		expect(filterLog(run.model.log, "load pid:6")).toHaveLength(2);
		expect(filterLog(run.model.log, "refused")).toHaveLength(0);
		expect(filterLog(run.model.log, "calls exit")).toHaveLength(4);
	});
});

test("a family's number that is used again is another family: no false ≠", async () => {
	const run = await recordedRun("kernel-3b", ["prodcons1", "prodcons3"]);
	const families = new Families();
	const pids = [4, 5, 6, 8, 9, 10];
	const columns = pids.map((pid) => columnAt(run, run.events.length - 1, pid, families));
	const numbers = columns.map(({ space }) => space?.regions[0]?.family);
	expect(new Set(numbers)).toEqual(new Set([0]));
	const identities = columns.map(
		(column) => [...column.families].find(([key]) => key.startsWith(`${column.pid} `))?.[1],
	);
	expect(new Set(identities).size).toBe(2);
	const rows = makeRows(run, columns);
	expect(rows.filter((row) => row.kind === "page" && row.sign && !row.sign.same)).toEqual([]);
	expect(rows.some((row) => row.kind === "page" && row.sign?.same)).toBe(true);
}, 60_000);

test("a window moves only when it has to, and a slice of rows has room for the others", () => {
	expect(windowAround(10, 3, 20)).toEqual({ from: 0, to: 10 });
	const window = windowAround(1000, 500, 30);
	expect(window.to - window.from).toBe(30);
	expect(windowAround(1000, 505, 30, window)).toEqual(window);
	expect(windowAround(1000, 999, 30, window)).toEqual({ from: 970, to: 1000 });
	expect(windowAround(1000, 0, 30, window)).toEqual({ from: 0, to: 30 });
	expect(sliceOf(50_000, 29, 290_000, 520)).toEqual({ first: 9990, last: 10_028, above: 289_710, below: 39_972 * 29 });
});
