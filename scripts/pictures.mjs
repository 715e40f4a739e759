// `node scripts/pictures.mjs [NAME]` makes the handouts' pictures anew (labs/*/pictures/): the lab's kernel runs, the built
// inspector page shows it in a real browser, and the panel is photographed. CHROMIUM names the browser, default /usr/bin/chromium.
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InspectorPage, loadSide } from "../test/support/workbench/inspectorPage.mjs";
import { launchBrowser } from "../test/support/workbench/workbench.mjs";
import { toPalette } from "./palettePng.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const hw5 = "hw5-anonymous-mmap";
const cs326 = "cs326-shared-page";

/** Runs until the log shows `until`, or the whole program without it. */
const pictures = [
	{ name: "private-killed", lab: hw5, stage: "1a", run: "private", panel: "Findings" },
	{
		name: "private-walk",
		lab: hw5,
		stage: "3b",
		run: "private",
		until: /mmap\(.*= 0x/,
		panel: "Page-table walk",
		process: "private",
		walk: "0x3fffffd028",
	},
	{ name: "private-faults", lab: hw5, stage: "3b", run: "private", panel: "Faults" },
	{
		name: "private-before-after",
		lab: hw5,
		stage: "3b",
		run: "private",
		until: /store .*mapped/,
		panel: "Before and after",
	},
	{ name: "freewalk-leaf", lab: hw5, stage: "1b", run: "prodcons1", panel: "Findings" },
	{
		name: "prodcons1-shared",
		lab: hw5,
		stage: "3b",
		run: "prodcons1",
		until: /fork\(\) = 5/,
		panel: "Frames",
		marked: "0x3fffffd000",
	},
	{
		name: "prodcons2-copied",
		lab: hw5,
		stage: "3b",
		run: "prodcons2",
		panel: "Before and after",
		pair: /prodcons2: fork\(\) = 4/,
	},
	{ name: "prodcons3-finding", lab: hw5, stage: "2b", run: "prodcons3", panel: "Findings" },
	{ name: "prodcons3-faults", lab: hw5, stage: "2b", run: "prodcons3", panel: "Faults" },
	{
		name: "family-before-after",
		lab: hw5,
		stage: "3b",
		run: "prodcons3",
		until: /store 0x3fffffb000 mapped/,
		panel: "Before and after",
	},
	{
		name: "mmap-before-after",
		lab: cs326,
		stage: "1",
		run: "mmaptest",
		until: /mmap\(.*\) = 0x/,
		panel: "Before and after",
	},
	{
		name: "mmap-walk",
		lab: cs326,
		stage: "1",
		run: "mmaptest",
		until: /mmap\(.*\) = 0x/,
		panel: "Page-table walk",
		process: "mmaptest",
		walk: "0x4000000",
	},
	{
		name: "mmap-space",
		lab: cs326,
		stage: "1",
		run: "mmaptest",
		until: /mmap\(.*\) = 0x/,
		panel: "Address space",
		process: "mmaptest",
	},
	{
		name: "shared-frame",
		lab: cs326,
		stage: "1",
		run: "mmaptest",
		until: /fork\(\) = \d/,
		times: 2,
		panel: "Frames",
		marked: "0x4000000",
	},
	{
		name: "fork-before-after",
		lab: cs326,
		stage: "1",
		run: "mmaptest",
		until: /fork\(\) = \d/,
		times: 2,
		panel: "Before and after",
	},
	{
		name: "exit-before-after",
		lab: cs326,
		stage: "1",
		run: "shmtests children",
		panel: "Before and after",
		pair: /7 shmtests: exit\(/,
	},
	{
		name: "named-space",
		lab: cs326,
		stage: "2",
		run: "shmtests2 named",
		until: /mmap\(8192, 6, 1, 5\) = 0x/,
		times: 2,
		panel: "Address space",
		process: "shmtests2",
		nth: 2,
	},
	{ name: "regions-frames", lab: cs326, stage: "2", run: "mmaptest2", until: /munmap\(.*\) = 0/, panel: "Frames" },
	{
		name: "readonly-walk",
		lab: cs326,
		stage: "2",
		run: "shmtests2 readonly",
		until: /mmap\(4096, 2, 1, 5\) = 0x/,
		panel: "Page-table walk",
		process: "shmtests2",
		nth: 2,
		walk: "0x4001000",
	},
	{ name: "readonly-faults", lab: cs326, stage: "2", run: "shmtests2 readonly", panel: "Faults" },
	{
		name: "places-walk",
		lab: cs326,
		stage: "2",
		run: "shmtests2 places",
		until: /mmap\(20480, 6, 1, 0\) = 0x/,
		panel: "Page-table walk",
		process: "shmtests2",
		nth: 1,
		walk: "0x4001000",
	},
	{
		name: "heap-space",
		lab: cs326,
		stage: "2",
		run: "shmtests2 heap",
		until: /sbrk\(1\) = /,
		panel: "Address space",
		process: "shmtests2",
		nth: 1,
	},
	{ name: "zeroed-faults", lab: cs326, stage: "1", run: "shmtests zeroed", panel: "Faults" },
	{
		name: "childfirst-frame",
		lab: cs326,
		stage: "1",
		run: "shmtests childfirst",
		until: /munmap\(0x4000000\) = 0/,
		panel: "Frames",
		marked: "0x4000000",
	},
	{
		name: "refused-before-after",
		lab: cs326,
		stage: "1",
		run: "shmtests doublemunmap",
		until: /munmap\(0x4000000\) = -1/,
		times: 2,
		panel: "Before and after",
	},
	{
		name: "count-space",
		lab: cs326,
		stage: "1",
		run: "shmtests childfirst",
		until: /fork\(\) = \d/,
		times: 3,
		panel: "Address space",
		process: "shmtests",
		nth: 1,
	},
	{
		name: "raced-findings",
		lab: cs326,
		stage: "1",
		mutant: "no-lock",
		harts: 8,
		seed: 2,
		run: "shmtests storm",
		panel: "Findings",
	},
	{
		name: "unrelated-walk",
		lab: cs326,
		stage: "1",
		run: "shmtests unrelated",
		until: /mmap\(\) = 0x/,
		times: 2,
		panel: "Page-table walk",
		process: "shmtests",
		nth: 2,
		walk: "0x4000000",
	},
	{ name: "exit-panic", lab: cs326, stage: "1", mutant: "left-at-exit", run: "shmtests nomunmap", panel: "Findings" },
	{
		name: "exec-before-after",
		lab: cs326,
		stage: "1",
		run: "shmtests execute",
		panel: "Before and after",
		pair: /shmtests: exec\(/,
	},
	{ name: "leaked-frame", lab: cs326, stage: "1", mutant: "never-freed", run: "mmaptest", panel: "Findings" },
	{
		name: "parentfirst-processes",
		lab: cs326,
		stage: "1",
		run: "shmtests parentfirst",
		until: /sbrk\(16384\)/,
		panel: "Processes",
	},
];

/** What each picture shows, as a part of the page. */
const parts = {
	Findings: "xv6-findings",
	"Page-table walk": "xv6-page",
	Faults: "xv6-log",
	"Before and after": "xv6-changes",
	Frames: "xv6-frames",
	"Address space": "xv6-spaces",
	Processes: "xv6-spaces",
};
const only = process.argv[2];
const InspectorSide = await loadSide(root);
const browser = await launchBrowser();
try {
	for (const picture of pictures) if (!only || picture.name.includes(only)) await make(picture);
} finally {
	await browser.close();
	await InspectorSide.close();
}

async function make({
	name,
	lab,
	stage,
	mutant,
	harts,
	seed,
	run,
	until,
	times,
	panel,
	process: who,
	nth,
	walk,
	marked,
	pair,
}) {
	const side = await InspectorSide.boot(lab, stage, { harts, seed, mutant });
	if (until) await side.runUntil(run, until, times);
	else await side.run(run);
	const inspector = await InspectorPage.open(browser, root, side, { viewport: { width: 980, height: 1600 } });
	const { page } = inspector;
	await page.locator("xv6-log h2").waitFor();
	await page.evaluate(
		({ who, nth, walk, marked, pair, changes }) => {
			const { store } = document.querySelector("xv6-inspector");
			const { events, model } = store.run;
			const named = model.processes.filter(({ name }) => who === undefined || name === who);
			const pid = (named[nth ?? 0] ?? named.at(-1))?.pid ?? store.selection?.pid;
			const at = walk ?? marked;
			if (at !== undefined) store.select({ pid, va: Math.floor(Number(at) / 4096) * 4096 });
			if (pair !== undefined) {
				const pattern = new RegExp(pair);
				const index = events.findIndex(
					({ entry }) =>
						entry?.type === "mark" && pattern.test(`${entry.process}: ${entry.text} = ${entry.result ?? ""}`),
				);
				if (index >= 0) store.go(index);
			} else if (changes) store.go(events.length - 2);
		},
		{ who, nth, walk, marked, pair: pair?.source.replace(/^\^?\d+ /, ""), changes: panel === "Before and after" },
	);
	await page.waitForTimeout(300);
	const folder = join(root, "labs", lab, "pictures");
	mkdirSync(folder, { recursive: true });
	const path = join(folder, `${name}.png`);
	const image = await page.locator(parts[panel]).first().screenshot({ animations: "disabled" });
	writeFileSync(path, toPalette(image));
	console.log(`${lab}/pictures/${name}.png ${(statSync(path).size / 1024).toFixed(0)} KB`);
	await inspector.close();
	side.dispose();
}
