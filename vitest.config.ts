import { defineConfig } from "vitest/config";

const project = (name: string, seconds: number) => ({
	test: {
		name,
		include: [`test/${name}/**/*.test.ts`],
		testTimeout: seconds * 1000,
		hookTimeout: seconds * 1000,
		globalSetup: "test/support/globalSetup.ts",
	},
});

export default defineConfig({
	test: {
		pool: "forks",
		maxWorkers: 2,
		projects: [project("unit", 60), project("conformance", 600), project("labs", 1200)],
	},
});
