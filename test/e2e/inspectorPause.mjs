// The inspector's buttons on a machine that is at work: through the page, the extension and the engine's worker.
import { strict as assert } from "node:assert";
import { until } from "../support/workbench/until.mjs";

export const inspectorPause = {
	async "the inspector's Pause stops a busy machine where it is, and Continue lets it go on"({ open, makeWorkspace }) {
		const workbench = await open(makeWorkspace("pause", "2b"));
		// After a judged run the page would stay at its end.
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal("$");
		await workbench.command("xv6: Open Memory Inspector");
		const view = workbench.webview();
		await view.getByText("The machine runs; the page follows it.").waitFor();
		const moment = view.locator(".moment");
		const instret = async () => Number(await moment.getAttribute("data-instret"));
		await workbench.typeInTerminal("usertests -q\n");
		await workbench.waitTerminal(": OK");
		await view.getByRole("button", { name: "Pause" }).click();
		await view.getByText("The machine is paused.").waitFor();
		const paused = await instret();
		await workbench.page.waitForTimeout(1000);
		assert.equal(await instret(), paused, "a paused machine stands still");
		await view.getByRole("button", { name: "Continue" }).click();
		await view.getByText("The machine runs; the page follows it.").waitFor();
		await until(async () => (await instret()) > paused, "the page follows the machine again");
	},
};
