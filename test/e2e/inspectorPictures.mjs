// Each view of the inspector's page in the four kinds of theme and three widths: nothing cut off, nothing over something else, every text
// readable by its pixels, nothing for axe-core to say; and a picture of it to look at.
import { strict as assert } from "node:assert";
import { InspectorPage, loadSide, themes } from "../support/workbench/inspectorPage.mjs";
import { axe, contrast, layout } from "../support/workbench/pageAudit.mjs";
import { until } from "../support/workbench/until.mjs";

const widths = [360, 760, 1280];
const kinds = ["light", "dark", "high-contrast", "high-contrast-light"];
/** Of VS Code's own and popular, with colours of text and links that are weaker than those of the default themes. */
const popular = Object.keys(themes).filter((name) => !kinds.includes(name));
const inPopular = popular.map((theme, i) => [theme, widths[i % widths.length]]);
const all = kinds.flatMap((theme) => widths.map((width) => [theme, width]));
/** Of runs that differ in what they show, not in how it is drawn; FULL=1: all. */
const some = process.env.FULL
	? [...all, ...inPopular]
	: [
			["light", 360],
			["dark", 1280],
			["high-contrast", 760],
		];

/** Runs to look at, each with the moments that show something of their own. */
const runs = {
	"prodcons3 with two frames": {
		lab: "hw5-anonymous-mmap",
		stage: "2b",
		harts: 3,
		run: (side) => side.judge("prodcons3"),
		moments: ["end", "reads"],
		looks: all,
	},
	...(process.env.FULL && {
		"prodcons3 in popular themes": {
			lab: "hw5-anonymous-mmap",
			stage: "2b",
			harts: 3,
			run: (side) => side.judge("prodcons3"),
			moments: ["end", "reads"],
			looks: inPopular,
		},
	}),
	"prodcons3 as it should be": {
		lab: "hw5-anonymous-mmap",
		stage: "3b",
		harts: 3,
		run: (side) => side.judge("prodcons3"),
		moments: ["end"],
	},
	"who ran when": {
		lab: "hw5-anonymous-mmap",
		stage: "3b",
		harts: 3,
		run: (side) => side.judge("prodcons3"),
		moments: ["end"],
		opened: "xv6-activity",
		looks: [...kinds, ...(process.env.FULL ? popular : ["monokai", "solarized-light"])].map((theme) => [theme, 1280]),
	},
	"five processes of CS326": {
		lab: "cs326-shared-page",
		stage: "2",
		harts: 3,
		run: (side) => side.run("shmtests2 children"),
		moments: ["middle"],
	},
	"a program that was refused": {
		lab: "hw5-anonymous-mmap",
		stage: "1a",
		harts: 1,
		run: (side) => side.judge("private"),
		moments: ["end"],
	},
	"a kernel that panicked": {
		lab: "hw5-anonymous-mmap",
		stage: "3b",
		harts: 3,
		mutant: "absent-page-not-skipped",
		run: (side) => side.judge("prodcons3"),
		moments: ["end"],
		shows: /panic|Panic/,
	},
	"a network card and a driver with a mistake": {
		lab: "hw5-anonymous-mmap",
		stage: "3b",
		harts: 1,
		patch: "test/cases/network-card/driver.patch",
		run: (side) => side.judge("prodcons1"),
		moments: ["end"],
		shows: /transmit descriptor 2 has no bytes[\s\S]*Receive ring/,
	},
};

async function go(page, where) {
	await page.evaluate((name) => {
		const { store } = document.querySelector("xv6-inspector");
		const last = store.run.events.length - 1;
		if (name === "reads") store.show(store.cards.find(({ key }) => key.startsWith("junk-read")));
		else store.go(name === "end" ? last : Math.ceil(last / 2));
	}, where);
	await page.waitForTimeout(200);
}

async function look(context, name, { lab, stage, run, moments, looks = some, shows, opened, ...options }) {
	const InspectorSide = await loadSide(context.root);
	const side = await InspectorSide.boot(lab, stage, options);
	const problems = [];
	let lowest = 21;
	let texts = 0;
	try {
		await run(side);
		for (const [theme, width] of looks) {
			const inspector = context.keep(
				await InspectorPage.open(context.browser, context.root, side, { theme, viewport: { width, height: 900 } }),
			);
			const { page } = inspector;
			const text = () => page.locator("xv6-inspector").innerText();
			await page.locator(".page[data-pid]").first().waitFor();
			if (shows) await until(async () => shows.test(await text()), `the page shows ${shows}`);
			if (opened) {
				await page.locator(`${opened} button[aria-expanded="false"]`).click();
				await page.locator(`${opened} table`).waitFor();
			}
			for (const moment of moments) {
				await go(page, moment);
				const where = `${theme} ${width} ${moment}`;
				problems.push(...(await layout(page)).map((text) => `${where}: ${text}`));
				const measured = await contrast(page);
				problems.push(...measured.low.map((text) => `${where}: contrast ${text}`));
				lowest = Math.min(lowest, measured.lowest.ratio);
				texts += measured.texts;
				problems.push(...(await axe(page)).map((text) => `${where}: axe ${text}`));
				context.keepShot(measured.picture, `page ${name} ${where}`.replaceAll(" ", "-"));
			}
			problems.push(...inspector.violations);
			await inspector.close();
		}
	} finally {
		side.dispose();
		await InspectorSide.close();
	}
	console.log(`    ${texts} texts, lowest contrast ${lowest.toFixed(2)}`);
	assert.deepEqual(problems, []);
}

/** Windows that people have and a designer has not: [name, options of the browser's page]. */
const windows = [
	["320 px wide", { viewport: { width: 320, height: 640 } }],
	["a 4K screen", { viewport: { width: 3840, height: 2160 } }],
	// At 200 % a window of 1280 x 800 has 640 x 400 of CSS.
	["200 % zoom", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
	["the height of a panel", { viewport: { width: 1280, height: 260 } }],
	["forced colours", { viewport: { width: 1280, height: 900 }, theme: "high-contrast", forcedColors: "active" }],
	["reduced motion", { viewport: { width: 1280, height: 900 }, theme: "dark", reducedMotion: "reduce" }],
	[
		"reduced motion by VS Code's setting",
		{ viewport: { width: 1280, height: 900 }, bodyClass: "vscode-reduce-motion" },
	],
];

/** What the page says of its machine, from before there is one until it is off: [name, what is done, what the page says then]. */
const states = [
	["no machine", async () => undefined, /The machine is off\.[\s\S]*Boot the machine, or run a program/],
	["at the prompt", (side) => side.start(), /The machine runs; the page follows it\./],
	// Long enough for a hundred processes.
	[
		"running",
		async (side) => {
			await side.type("usertests\n");
			await new Promise((resolve) => setTimeout(resolve, 8000));
		},
		/The machine runs; the page follows it\.[\s\S]*usertests/,
	],
	["paused", (side) => side.pause(), /The machine is paused\./],
	["in the past", async (side) => side.goTo((await side.model()).instret - 50_000_000), /The machine is in its past/],
	["off", (side) => side.switchOff(), /The machine is off; its memory is still here\.[\s\S]*Boot/],
];

async function lookAtStates(context) {
	const InspectorSide = await loadSide(context.root);
	const side = await InspectorSide.built("hw5-anonymous-mmap", "3b", { harts: 3 });
	const problems = [];
	try {
		const options = { ready: ".empty" };
		const inspector = context.keep(await InspectorPage.open(context.browser, context.root, side, options));
		const { page } = inspector;
		for (const [name, happens, says] of states) {
			await happens(side);
			const text = () => page.locator("xv6-inspector").innerText();
			await until(async () => says.test(await text()), `${name}: the page says ${says}`);
			for (const [theme, width] of process.env.FULL ? all : [...some, ["high-contrast-light", 1280]]) {
				await inspector.wear(theme);
				await page.setViewportSize({ width, height: 900 });
				const drawn = () =>
					document.querySelector("xv6-inspector").store.width === document.documentElement.clientWidth;
				await until(() => page.evaluate(drawn), "the page is drawn at its new width");
				await page.waitForTimeout(100);
				const where = `${name}, ${theme} ${width}`;
				problems.push(...(await layout(page)).map((text) => `${where}: ${text}`));
				// What runs changes between the two pictures that pixels are compared by.
				if (name !== "running") {
					const measured = await contrast(page);
					problems.push(...measured.low.map((text) => `${where}: contrast ${text}`));
				}
				await context.shot(inspector, `page state ${where}`.replaceAll(/\W+/g, "-"));
			}
			problems.push(...(await axe(page)).map((text) => `${name}: axe ${text}`));
			// Of hundreds of processes the list has the newest; the selected one may have ended long ago.
			const [selected, offered] = await page.evaluate(() => {
				const { selection } = document.querySelector("xv6-inspector").store;
				return [selection?.pid, document.querySelector("select[name=pid]")?.value];
			});
			if (selected !== undefined && String(selected) !== offered)
				problems.push(`${name}: process ${selected} is selected, and the list says ${offered}`);
		}
		problems.push(...inspector.violations);
		await inspector.close();
	} finally {
		side.dispose();
		await InspectorSide.close();
	}
	assert.deepEqual(problems, []);
}

/** What still moves: transitions and animations that take time, and smooth scrolling. */
const moving = (page) =>
	page.evaluate(() =>
		[...document.querySelectorAll("xv6-inspector, xv6-inspector *")].flatMap((node) => {
			const style = getComputedStyle(node);
			const lasts = (list) => list.split(",").some((text) => Number.parseFloat(text) > 0);
			const moves =
				lasts(style.transitionDuration) ||
				(style.animationName !== "none" && lasts(style.animationDuration)) ||
				style.scrollBehavior === "smooth";
			return moves ? [`${node.tagName.toLowerCase()}.${node.className}`] : [];
		}),
	);

async function lookAtWindows(context) {
	const InspectorSide = await loadSide(context.root);
	const side = await InspectorSide.boot("hw5-anonymous-mmap", "2b", { harts: 3 });
	const problems = [];
	try {
		await side.judge("prodcons3");
		for (const [name, options] of windows) {
			const inspector = context.keep(await InspectorPage.open(context.browser, context.root, side, options));
			const { page } = inspector;
			for (const moment of ["end", "reads"]) {
				await go(page, moment);
				const where = `${name}, ${moment}`;
				problems.push(...(await layout(page)).map((text) => `${where}: ${text}`));
				// axe-core takes a forced background for none; the pixels tell.
				const found = (await axe(page)).filter((text) => !options.forcedColors || !text.startsWith("color-contrast"));
				problems.push(...found.map((text) => `${where}: axe ${text}`));
				if (options.forcedColors) {
					const { low } = await contrast(page);
					problems.push(...low.map((text) => `${where}: contrast ${text}`));
				}
				if (name.startsWith("reduced motion"))
					problems.push(...(await moving(page)).map((text) => `${where}: ${text} moves`));
				await context.shot(inspector, `page window ${name} ${moment}`.replaceAll(/\W+/g, "-"));
			}
			problems.push(...inspector.violations);
			await inspector.close();
		}
	} finally {
		side.dispose();
		await InspectorSide.close();
	}
	assert.deepEqual(problems, []);
}

export const inspectorPictures = Object.fromEntries([
	[
		"the inspector is whole at 320 px, on a 4K screen, at 200 % zoom, in a panel, in forced colours, and still where motion is unwanted",
		lookAtWindows,
	],
	[
		"the inspector says what its machine does, readable in every theme: none, at the prompt, running, paused, past, off",
		lookAtStates,
	],
	...Object.entries(runs).map(([name, run]) => [
		`the inspector of ${name} is whole and readable in four themes and three widths`,
		(context) => look(context, name, run),
	]),
]);
