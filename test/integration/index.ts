import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import { defineSuite } from "./suite.ts";

/** Called by VS Code in its extension host; a rejected promise is a failed run. */
export function run(): Promise<void> {
	const mocha = new Mocha({ ui: "bdd", timeout: 300_000, reporter: "spec", grep: process.env.XV6_LAB_GREP ?? "" });
	mocha.suite.emit("pre-require", globalThis as never, "suite.ts", mocha);
	defineSuite();
	return new Promise((resolve, reject) => {
		const counts = { passed: 0, failed: 0, skipped: 0 };
		mocha
			.run((failures) => {
				const file = process.env.XV6_LAB_RESULT;
				if (file) writeFileSync(file, JSON.stringify(counts));
				if (failures > 0) reject(new Error(`${failures} failed`));
				else resolve();
			})
			.on("pass", (test) => {
				counts.passed++;
				console.log(`[test] ok ${test.fullTitle()} (${test.duration} ms)`);
			})
			.on("fail", (test, error) => {
				counts.failed++;
				console.log(`[test] FAILED ${test.fullTitle()}: ${error.stack ?? error.message}`);
			})
			.on("pending", (test) => {
				counts.skipped++;
				console.log(`[test] skipped ${test.fullTitle()}`);
			});
	});
}
