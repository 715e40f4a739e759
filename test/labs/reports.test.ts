import { afterAll, expect, test } from "vitest";
import { build, catalog, closeToolchains, repository } from "../support/lab.ts";
import { memoryReports } from "../support/memoryReport.ts";

afterAll(closeToolchains);

/** What the inspector says about each program of the handouts, before and after the work; `-u` writes the files again. */
const programs: Readonly<Record<string, readonly string[]>> = {
	"hw5-anonymous-mmap": ["private", "prodcons1", "prodcons2", "prodcons3"],
	"cs326-shared-page": ["mmaptest", "mmaptest2"],
};

for (const [lab, names] of Object.entries(programs)) {
	const manifest = await catalog.manifest(lab);
	const solutions = [...new Set(manifest.tasks.flatMap((task) => (task.solution ? [task.solution] : [])))];

	test.each(["starter", ...solutions])(`memory reports of ${lab}, %s`, async (stage) => {
		const files = await catalog.workspace(lab, stage === "starter" ? undefined : stage);
		for (const [program, report] of await memoryReports(await build(files), manifest, names))
			await expect(report).toMatchFileSnapshot(`${repository}/test/golden/reports/${lab}/${stage}/${program}.txt`);
	});
}
