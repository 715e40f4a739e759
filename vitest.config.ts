import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const project = (name: string, seconds: number) => ({
	test: {
		name,
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
		projects: [project("unit", 60), project("conformance", 600), project("labs", 1200)],
	},
});
