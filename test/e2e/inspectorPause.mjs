// The inspector's buttons on a machine that is at work: through the page, the extension and the engine's worker.
import { strict as assert } from "node:assert";
import { until } from "../support/workbench/until.mjs";

export const inspectorPause = {
	async "the inspector's Pause stops a busy machine where it is, and Continue lets it go on"({ open, makeWorkspace }) {
		const workbench = await open(makeWorkspace("pause", "2b"));
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("total = 55");
		await workbench.command("xv6: Open Memory Inspector");
		const view = workbench.webview();
		await view.getByText(/^The machine is running at instruction/).waitFor();
		/** Instructions so far, once the page says that the machine is in this state and beyond an instruction. */
		const at = async (state, after = -1) => {
			let instructions = -1;
			const reads = async () => {
				const text = await view.getByText(new RegExp(`^The machine is ${state} at instruction`)).textContent();
				instructions = Number(/instruction ([\d,]+)/.exec(text)[1].replaceAll(",", ""));
				return instructions > after;
			};
			await until(reads, () => `${state} beyond instruction ${after}, it is at ${instructions}`);
			return instructions;
		};
		await workbench.typeInTerminal("usertests -q\n");
		await workbench.waitTerminal(": OK");
		await view.getByRole("button", { name: "Pause" }).click();
		await view.getByText(/^The machine is paused/).waitFor();
		// Two moments, each a question to the machine and its answer, are one and the same.
		await view.getByRole("button", { name: "Keep this moment" }).click();
		const same = view.getByText(/^From instruction .*: 0 differences\.$/);
		await same.waitFor();
		await view.getByRole("button", { name: "Compare again" }).click();
		const [, from, to] = /From instruction ([\d,]+) to ([\d,]+)/.exec(await same.textContent());
		assert.equal(to, from);
		await view.getByText(`The machine is paused at instruction ${to}.`).waitFor();
		const paused = await at("paused");
		await view.getByRole("button", { name: "Continue" }).click();
		assert.ok((await at("running", paused)) > paused);
	},
};
