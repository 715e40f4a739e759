// The inspector's page alone in a real browser, with a real machine behind it: keyboard, policy, reload, themes, and how it scrolls.
import { strict as assert } from "node:assert";
import { InspectorPage, loadSide, themes } from "../support/workbench/inspectorPage.mjs";
import { until } from "../support/workbench/until.mjs";

const panels = ["Findings", "Address space", "Page-table walk", "Frames", "Faults", "Processes", "Before and after"];

/** The kernel before task 3b after prodcons3, and the page that shows it; closed at the end, when its policy must have refused nothing. */
async function withPage({ browser, root, keep }, work, { until, prepare, ...options } = {}) {
	const InspectorSide = await loadSide(root);
	const side = await InspectorSide.boot("hw5-anonymous-mmap", "2b");
	try {
		if (until) await side.runUntil("prodcons3", until);
		else await side.run("prodcons3");
		prepare?.(side);
		const inspector = keep(await InspectorPage.open(browser, root, side, options));
		await inspector.page.getByText(/^The machine is \w+ at instruction/).waitFor();
		await work(inspector, side);
		assert.deepEqual(inspector.violations, []);
		await inspector.close();
	} finally {
		side.dispose();
		await InspectorSide.close();
	}
}

/** Waits until the tab of a panel is the selected one. */
const selected = (page, name) => page.getByRole("tab", { name, selected: true }).waitFor();

export const inspectorCases = {
	async "the inspector's panels, faults and walks are reached by keyboard alone, and a fault opens its line"(context) {
		await withPage(context, async ({ page }, side) => {
			await page.locator("[role=tab]").first().focus();
			for (const name of panels) {
				await selected(page, name);
				await page.locator('[role=tab][aria-selected="true"]:focus').waitFor();
				await page.keyboard.press("ArrowRight");
			}
			// From the first panel again to the faults.
			for (const name of panels.slice(0, panels.indexOf("Faults"))) {
				await selected(page, name);
				await page.keyboard.press("ArrowRight");
			}
			const grid = page.getByRole("grid", { name: "Page faults" });
			await grid.waitFor();
			for (let i = 0; i < 10 && !(await grid.evaluate((list) => list.getRootNode().activeElement === list)); i++)
				await page.keyboard.press("Tab");
			const row = grid.locator('[aria-selected="true"]');
			const chosen = () => row.textContent();
			for (let i = 1; i < 40 && !/load 0x3fffffb000/.test(await chosen()); i++) {
				const index = Number(await row.getAttribute("aria-rowindex"));
				await page.keyboard.press("ArrowDown");
				await grid.locator(`[aria-selected="true"][aria-rowindex="${index + 1}"]`).waitFor();
			}
			assert.match(await chosen(), /load 0x3fffffb000[\s\S]*user\/prodcons\.h:(\d+)/);
			await page.keyboard.press("Enter");
			const line = Number(/prodcons\.h:(\d+)/.exec(await chosen())[1]);
			await until(() => side.opened.length > 0, "the page asks for the line");
			assert.deepEqual(side.opened, [{ file: "user/prodcons.h", line }]);
		});
	},

	async "the inspector says of each finding and frame what a screen reader can read"(context) {
		await withPage(context, async ({ page }) => {
			const findings = page.getByRole("list", { name: "Findings" });
			await findings.filter({ hasText: /is frame \d+ for one and frame/ }).waitFor();
			await page.getByRole("tab", { name: "Frames" }).click();
			const map = page.getByRole("img", { name: /Frame map of 32768 frames/ });
			await map.focus();
			await page.keyboard.press("ArrowRight");
			await page.getByText("frame 1, 0x80001000: kernel image").waitFor();
		});
	},

	async "the inspector restores its panel and process after a reload"(context) {
		await withPage(context, async (inspector) => {
			const { page } = inspector;
			await inspector.pick("sh");
			await inspector.panel("Address space");
			await page.getByText(/^2 sh, page table at/).waitFor();
			await page.reload();
			await page.getByText(/^2 sh, page table at/).waitFor();
			await selected(page, "Address space");
		});
	},

	async "the inspector steps from fault to fault, pauses and continues"(context) {
		await withPage(
			context,
			async (inspector, side) => {
				const { page } = inspector;
				await inspector.panel("Faults");
				await page.getByText(/^The machine is paused/).waitFor();
				const last = () =>
					side
						.model()
						.log.filter((entry) => entry.type === "fault")
						.at(-1)?.address;
				await page.getByRole("button", { name: "Step to the next fault" }).click();
				await page.getByRole("row", { name: /store 0x3fffffb000/ }).waitFor();
				assert.equal(last(), "0x3fffffb000");
				await page.getByRole("button", { name: "Step to the next fault" }).click();
				await page.getByRole("row", { name: /store 0x3fffffc000/ }).waitFor();
				assert.equal(last(), "0x3fffffc000");
				await page.getByRole("button", { name: "Continue" }).click();
				await page.getByText(/^The machine is running/).waitFor();
			},
			{ until: /fork\(\) = 4/ },
		);
	},

	async "the inspector shows memory before and after a fork, and from a kept moment until now"(context) {
		await withPage(context, async (inspector, side) => {
			const { page } = inspector;
			await inspector.panel("Before and after");
			const select = page.locator("xv6-compare select");
			await select.waitFor();
			const texts = await select.locator("option").allTextContents();
			await select.selectOption({ label: texts.find((text) => /prodcons3: fork\(\) = /.test(text)) });
			await page.getByRole("row", { name: /page 0x3fffffd000 .*not mapped.*frame/ }).waitFor();
			await page.getByText("Keep this moment").click();
			await page.getByText(/: 0 differences/).waitFor();
			await side.runUntil("prodcons1", /store 0x3fffffd028 mapped/);
			await page.getByRole("button", { name: "Compare again" }).click();
			await page.getByRole("row", { name: /prodcons1.*page 0x3fffffd000/ }).waitFor();
		});
	},

	async "fifty thousand faults scroll smoothly in the inspector"(context) {
		await withPage(
			context,
			async (inspector) => {
				const { page } = inspector;
				await inspector.panel("Faults");
				await page.getByText("50000 of 50000").waitFor();
				const frames = await page.evaluate(async () => {
					const list = document
						.querySelector("xv6-inspector")
						.shadowRoot.querySelector("xv6-faults")
						.shadowRoot.querySelector(".list");
					const times = [];
					let before = performance.now();
					for (let i = 0; i < 180; i++) {
						list.scrollTop += i < 120 ? 150 : 6000;
						await new Promise(requestAnimationFrame);
						const now = performance.now();
						times.push(now - before);
						before = now;
					}
					return { times, rows: list.querySelectorAll("[role=row]").length, top: list.scrollTop };
				});
				const slow = frames.times.filter((time) => time > 32).length;
				const sorted = frames.times.toSorted((a, b) => a - b);
				console.log(
					`    180 scrolled frames: ${slow} over 32 ms, median ${sorted[90].toFixed(1)} ms, longest ${sorted.at(-1).toFixed(1)} ms, ${frames.rows} rows in the document`,
				);
				// The rows are few whatever the length; how fast they are drawn is printed, and not judged on a busy machine.
				assert.ok(frames.rows < 100, `${frames.rows} rows are in the document`);
				assert.ok(frames.top > 300_000);
				await page.getByRole("grid", { name: "Page faults" }).locator("[role=row]").first().waitFor();
			},
			{ prepare: (side) => side.fill(50_000) },
		);
	},

	async "the inspector in all four themes"(context) {
		for (const theme of Object.keys(themes)) {
			await withPage(
				context,
				async (inspector) => {
					await context.shot(inspector, `page-findings-${theme}`);
					await inspector.panel("Frames");
					await inspector.select(4);
					await context.shot(inspector, `page-frames-${theme}`);
					await inspector.panel("Address space");
					await context.shot(inspector, `page-space-${theme}`);
					const background = await inspector.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
					const colour = await inspector.page
						.locator("xv6-inspector")
						.evaluate((element) => getComputedStyle(element).color);
					assert.notEqual(background, colour);
				},
				{ theme },
			);
		}
	},
};
