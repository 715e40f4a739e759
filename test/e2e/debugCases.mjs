// Debugging with the mouse and F5: a breakpoint beside a line, into the kernel and back, and who wrote a value.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { until } from "../support/workbench/until.mjs";
import { themes } from "./windowCases.mjs";

/** The frames of the call stack view, the innermost first. */
const frames = (page) => page.locator(".debug-call-stack .stack-frame").allInnerTexts();
/** What may be the frame that the stop is in: the one that VS Code selects, or the first below the name of a thread. */
const tops = (page) =>
	page.evaluate(() => {
		const rows = [...document.querySelectorAll(".debug-call-stack .monaco-list-row")].sort(
			(one, other) => Number(one.dataset.index) - Number(other.dataset.index),
		);
		const isFirst = (index) => index === 0 || rows[index - 1].querySelector(".stack-frame") === null;
		return rows
			.filter((row, i) => row.querySelector(".stack-frame") && (row.classList.contains("selected") || isFirst(i)))
			.map((row) => row.innerText);
	});

/** All frames, those too that have to be scrolled to. */
async function stack(page) {
	const seen = new Set(await frames(page));
	await page.locator(".debug-call-stack").first().hover();
	for (let i = 0; i < 12; i++) {
		await page.mouse.wheel(0, 44);
		await new Promise((resolve) => setTimeout(resolve, 100));
		for (const frame of await frames(page)) seen.add(frame);
	}
	await toTop(page, ".debug-call-stack");
	return [...seen].join("\n");
}

/** A list takes in what it shows after a while: one turn of the wheel may fall short. */
async function toTop(page, view) {
	await page.locator(view).first().hover();
	for (let i = 0; i < 3; i++) {
		await page.mouse.wheel(0, -5000);
		await page.waitForTimeout(100);
	}
}

/** A click left of a line's number sets a breakpoint, or takes it away. */
async function clickBeside(page, line, sets = true) {
	const number = page.locator(".margin-view-overlays .line-numbers", { hasText: new RegExp(`^${line}$`) }).first();
	await number.waitFor();
	const box = await number.boundingBox();
	const margin = await page.locator(".glyph-margin").first().boundingBox();
	await page.mouse.click(margin.x + margin.width / 2, box.y + box.height / 2);
	const dots = page.locator(".glyph-margin-widgets .codicon-debug-breakpoint");
	if (sets) await dots.first().waitFor();
}

/** Waits for the stop after an action, by what the innermost frame says then. */
async function stopsIn(page, wanted, what) {
	let seen = [];
	await until(
		async () => {
			seen = await tops(page);
			return seen.some((frame) => wanted.test(frame));
		},
		() => `${what}: the innermost frames are ${seen.join(" / ")}`,
	);
}

const button = (page, name) => page.locator(".debug-toolbar").getByRole("button", { name }).first();

/**
 * Turns the wheel over a view until a row of it is whole in sight. A list holds rows that its edge hides, too: a click on those would go to the
 * view below.
 */
async function scrollTo(page, view, row) {
	const isInSight = async () => {
		const [outer, inner] = [await view.boundingBox(), await row.boundingBox().catch(() => null)];
		// The names of what a row is in stay at the top, over other rows.
		const sticky = view.locator(".monaco-tree-sticky-container:not(.empty)");
		const covered = (await sticky.count()) > 0 ? ((await sticky.first().boundingBox())?.height ?? 0) : 0;
		return outer && inner && inner.y >= outer.y + covered && inner.y + inner.height <= outer.y + outer.height;
	};
	await view.hover();
	await page.mouse.wheel(0, -5000);
	let turns = 0;
	await until(
		async () => {
			if ((await row.count()) > 0 && (await isInSight())) return true;
			// It may have gone by while the page was busy: from the top once more.
			await page.mouse.wheel(0, ++turns % 60 === 0 ? -5000 : 22);
			await page.waitForTimeout(50);
			return false;
		},
		() => `${row} comes into sight`,
	);
	return row;
}

/** A row of the Variables view by the begin of its text, scrolled to. */
function variable(page, name) {
	const view = page.locator(".debug-variables .monaco-list").first();
	return scrollTo(page, view, view.locator(".monaco-list-row").filter({ hasText: name }).first());
}

async function expand(page, name) {
	const row = await variable(page, name);
	if ((await row.getAttribute("aria-expanded")) !== "true") await row.locator(".monaco-tl-twistie").click();
	await until(async () => (await row.getAttribute("aria-expanded")) === "true", `${name} is open`);
}

/** Where a word stands in a line of the editor, as the mouse would point at it. */
function placeInEditor(page, line, word) {
	return page.evaluate(
		([lineText, wordText]) => {
			const plain = (text) => text.replaceAll("\u00a0", " ");
			for (const element of document.querySelectorAll(".editor-instance .view-line")) {
				if (!plain(element.textContent).includes(lineText)) continue;
				const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
				for (let node = walker.nextNode(); node; node = walker.nextNode()) {
					const match = new RegExp(`(?<![\\w>])${wordText}(?!\\w)`).exec(plain(node.textContent));
					if (!match) continue;
					const range = document.createRange();
					range.setStart(node, match.index);
					range.setEnd(node, match.index + wordText.length);
					const box = range.getBoundingClientRect();
					return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
				}
			}
			return undefined;
		},
		[line, word],
	);
}

/** Each theme takes seconds, and the page is VS Code's. */
const inEveryTheme = process.env.FULL === "1" || process.env.XV6_LAB_PICTURES === "1";

const statusOfPast = (page) => page.locator(".statusbar-item", { hasText: "instructions back" });

export const debugCases = {
	async "a breakpoint beside a line, F5, into fork over the system call, and a value under the mouse"({
		open,
		makeWorkspace,
		read,
		shot,
	}) {
		const folder = makeWorkspace("debug", "2b");
		const workbench = await open(folder, { viewport: { width: 1280, height: 720 } });
		const { page } = workbench;
		const lineOf = (file, text) =>
			read(join(folder, file))
				.split("\n")
				.findIndex((one) => one.includes(text)) + 1;
		const total = lineOf("user/prodcons3.c", "total = %d");
		await workbench.openFile("user/prodcons3.c", total);
		await clickBeside(page, total);
		await page.keyboard.press("F5");
		await stopsIn(page, /^main/, "the program stops in main");
		await shot(workbench, "debug-entry");
		// Over map_buffer, and into fork through run_in_child.
		await button(page, /^Step Over/).click();
		const next = lineOf("user/prodcons3.c", "run_in_child(producer)");
		await stopsIn(page, new RegExp(`^main[\\s\\S]*\\b${next}:`), "over map_buffer");
		await button(page, /^Step Into/).click();
		await stopsIn(page, /^run_in_child/, "into run_in_child");
		await button(page, /^Step Into/).click();
		await stopsIn(page, /^usertrap/, "into fork, which is in the kernel");
		const calls = await stack(page);
		for (const name of ["usertrap", "user mode, pid 3", "fork", "run_in_child", "main", "start"])
			assert.ok(calls.includes(name), `${name} is in the stack: ${calls}`);
		await shot(workbench, "debug-kernel");

		const child = lineOf("kernel/proc.c", "int pid = np->pid;");
		await workbench.openFile("kernel/proc.c", child);
		await clickBeside(page, child);
		await button(page, /^Continue/).click();
		await stopsIn(page, /^fork/, "the breakpoint in the kernel is reached");
		const hover = page.locator(".debug-hover-widget");
		// The editor may still scroll to the stop: a mouse that rests where the name was shows nothing.
		for (let tries = 0; !(await hover.isVisible()) && tries < 20; tries++) {
			const place = await placeInEditor(page, "safestrcpy(np->name, p->name", "p");
			await page.mouse.move(place.x, place.y - 40);
			await page.mouse.move(place.x, place.y, { steps: 4 });
			await page.waitForTimeout(1500);
		}
		await hover.waitFor();
		await until(async () => /state\s*=\s*RUNNING/.test(await hover.innerText()), "the hover shows the fields of p");
		await shot(workbench, "debug-hover");
		await button(page, /^Stop/).click();
		await page.locator(".debug-toolbar").waitFor({ state: "hidden" });
	},

	async "with the mouse alone: from a finding back to the line that wrote the wrong page-table entry of prodcons3"({
		open,
		makeWorkspace,
		shot,
		picture,
		walkthrough,
		handout,
	}) {
		const folder = makeWorkspace("backwards", "2b");
		const workbench = await open(folder, { viewport: { width: 1280, height: 720 } });
		const { page } = workbench;
		const explorer = page.locator(".explorer-folders-view");
		const file = (name) => explorer.locator(`.monaco-list-row[aria-label^='${name}']`).first();
		await file("user").click();
		await (await scrollTo(page, explorer, file("prodcons3.c"))).dblclick();
		// A lens that is drawn anew between the button's down and up takes no click.
		const begins = async () => {
			await page.locator(".codelens-decoration").getByText("Debug prodcons3").first().click();
			const toolbar = page.locator(".debug-toolbar");
			await toolbar.waitFor({ timeout: 20_000 }).catch(() => undefined);
			return toolbar.isVisible();
		};
		await until(begins, "a debug session begins");
		await stopsIn(page, /^main/, "the program stops in main");
		await shot(workbench, "backwards-main");
		// The debugger itself says when the family's page is two frames.
		const finding = page.locator(".debug-breakpoints .monaco-list-row", { hasText: "Finding" });
		await scrollTo(page, page.locator(".debug-breakpoints .monaco-list"), finding);
		await finding.getByRole("checkbox").click();
		await shot(workbench, "backwards-ticked");
		await button(page, /^Continue/).click();
		await stopsIn(page, /^consumer/, "a finding stops in the consumer");
		await page.locator(".exception-widget", { hasText: "is frame" }).waitFor();
		await shot(workbench, "backwards-finding");
		await expand(page, /^Globals/);
		await expand(page, /^buffer\b/);
		await shot(workbench, "backwards-values");
		await (await variable(page, /page-table entry/)).click({ button: "right" });
		await workbench.chooseMenu(/Who Wrote This Last/);
		await stopsIn(page, /^mappages/, "mappages wrote the entry");
		await statusOfPast(page).waitFor();
		const calls = await stack(page);
		for (const name of ["mmrfault", "usertrap", "consumer", "main"])
			assert.ok(calls.includes(name), `${name}: ${calls}`);
		await shot(workbench, "backwards-writer");
		// Room for what is looked at.
		for (const name of ["Watch", "Breakpoints"])
			await page
				.getByRole("button", { name: `${name} Section` })
				.first()
				.click();
		await toTop(page, ".debug-variables");
		// A mouse that rests on a row brings up its hint.
		await page.mouse.move(1100, 662);
		await page.waitForTimeout(500);
		await picture(workbench, "debugger");
		await handout(workbench, "hw5-anonymous-mmap", "prodcons3-writer");
		await walkthrough(workbench, "writer-light");
		const others = themes.filter(([name]) => name !== "light");
		for (const [kind, theme, workbenchClass] of inEveryTheme ? others : []) {
			await workbench.theme(theme, workbenchClass);
			await page.mouse.move(1100, 662);
			await page.waitForTimeout(500);
			if (kind === "dark") await walkthrough(workbench, "writer-dark");
			else await shot(workbench, `backwards-${kind}`);
		}

		const before = await statusOfPast(page).innerText();
		await button(page, /^Step Back/).click();
		await until(
			async () => (await statusOfPast(page).innerText()) !== before,
			() => `a step back moves: ${before}`,
		);
		await shot(workbench, "backwards-step-back");
		await statusOfPast(page).click();
		await statusOfPast(page).waitFor({ state: "hidden" });
		await stopsIn(page, /^consumer/, "the present again");
		await button(page, /^Stop/).click();
		await page.locator(".debug-toolbar").waitFor({ state: "hidden" });
	},
};
