import { createHash } from "node:crypto";
import { join } from "node:path";
import { utf8 } from "../../common/bytes.ts";
import { atomicWrite, type FileToWrite } from "../../env/node/atomicWrite.ts";
import {
	classJUnit,
	classroomResult,
	gradesCsv,
	gradescopeResults,
	moodleCsv,
} from "../../grade/class/report/files.ts";
import { againCommand, classPage, pageName, studentPage, style } from "../../grade/class/report/html.ts";
import type { ClassScore } from "../../grade/class/score.ts";

/** Everything that a class's results can be made into, in one folder. */
export async function writeReports(
	folder: string,
	score: ClassScore,
	names: boolean,
	runs: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
	const styleHash = createHash("sha256").update(style).digest("base64");
	const files: FileToWrite[] = [];
	const add = (path: string, text: string) => files.push({ path: join(folder, path), bytes: utf8(text) });
	add("index.html", classPage(score, styleHash));
	add("grades.csv", gradesCsv(score, names));
	add("junit.xml", classJUnit(score));
	const moodle = moodleCsv(score);
	if (moodle !== undefined) add("moodle.csv", moodle);
	for (const [at, student] of score.students.entries()) {
		const page = pageName(at);
		add(page, studentPage(score, student, styleHash, runs));
		const name = page.replace(".html", ".json");
		add(join("gradescope", name), gradescopeResults(student));
		const code = ({ test, again }: (typeof student.tests)[number]) =>
			again ? againCommand(again, test.id, score.manifest.id) : (test.command ?? test.program);
		add(join("classroom", name), classroomResult(student, code));
	}
	await atomicWrite(files);
}
