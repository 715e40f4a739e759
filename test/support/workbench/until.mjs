import { patienceMs } from "./workbench.mjs";

/** Waits until a condition, which may be asynchronous, is true; `what` names it, or tells the state of things when it never was. */
export async function until(condition, what, ms = patienceMs) {
	const end = Date.now() + ms;
	while (!(await condition())) {
		if (Date.now() > end) throw new Error(`never: ${typeof what === "function" ? what() : what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
