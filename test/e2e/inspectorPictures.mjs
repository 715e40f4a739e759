// Each view of the inspector's page in the four kinds of theme and three widths: nothing cut off, nothing over something else, every text
// readable by its pixels, nothing for axe-core to say; and a picture of it to look at.
import { strict as assert } from "node:assert";
import { InspectorPage, loadSide, themes } from "../support/workbench/inspectorPage.mjs";
import { axe, contrast, layout } from "../support/workbench/pageAudit.mjs";

const widths = [360, 760, 1280];
const all = Object.keys(themes).flatMap((theme) => widths.map((width) => [theme, width]));
/** Of runs that differ in what they show, not in how it is drawn; FULL=1: all. */
const some = process.env.FULL
	? all
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
	"prodcons3 as it should be": {
		lab: "hw5-anonymous-mmap",
		stage: "3b",
		harts: 3,
		run: (side) => side.judge("prodcons3"),
		moments: ["end"],
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

async function look(context, name, { lab, stage, harts, run, moments, looks = some }) {
	const InspectorSide = await loadSide(context.root);
	const side = await InspectorSide.boot(lab, stage, { harts });
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
			for (const moment of moments) {
				await go(page, moment);
				const where = `${theme} ${width} ${moment}`;
				problems.push(...(await layout(page)).map((text) => `${where}: ${text}`));
				let measured = await contrast(page);
				// The two pictures may have been taken while something moved: what is true is so twice.
				if (measured.low.length > 0) measured = await contrast(page);
				problems.push(...measured.low.map((text) => `${where}: contrast ${text}`));
				lowest = Math.min(lowest, measured.lowest.ratio);
				texts += measured.texts;
				problems.push(...(await axe(page)).map((text) => `${where}: axe ${text}`));
				await context.shot(inspector, `page ${name} ${where}`.replaceAll(" ", "-"));
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

export const inspectorPictures = Object.fromEntries(
	Object.entries(runs).map(([name, run]) => [
		`the inspector of ${name} is whole and readable in four themes and three widths`,
		(context) => look(context, name, run),
	]),
);
