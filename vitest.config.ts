import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const longest = ["grade", "qemu", "mutants", "diagnosis", "labs", "explore", "noFindings", "replay", "csmith"];

/** The longest files first, so that both workers are busy to the end; vitest itself knows their times only where they have run before. */
class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const rank = ({ moduleId }: TestSpecification) => {
			const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
			return at < 0 ? longest.length : at;
		};
		return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
	}
}

const project = (name: string, seconds: number, isolate = true) => ({
	test: {
		name,
		isolate,
		include: [`test/${name}/**/*.test.ts`],
		testTimeout: seconds * 1000,
		hookTimeout: seconds * 1000,
		globalSetup: "test/support/globalSetup.ts",
		// The extension's modules run over a stand-in; the real window is in the suites integration and e2e.
		alias: { vscode: fileURLToPath(new URL("test/support/vscode.ts", import.meta.url)) },
	},
});

export default defineConfig({
	test: {
		pool: "forks",
		maxWorkers: 2,
		sequence: { sequencer: LongestFirst },
		// Two hundred short files: a process and the modules for each would take a quarter of the suite's time.
		projects: [project("unit", 60, false), project("conformance", 600), project("labs", 1200)],
	},
});
