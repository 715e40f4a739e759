/** Whose a submission is, by the name that an LMS gave to its folder or archive. */

interface Identity {
	readonly student: string;
	/** The LMS's number. */
	readonly id?: string;
}

const extension = /\.(zip|tar|tar\.gz|tgz)$/i;

export function identify(name: string): Identity {
	const base = name.replace(extension, "");
	// Moodle (mod/assign): FULL NAME_NUMBER_assignsubmission_file[_ARCHIVE], `Participant` for the name where marking is blind.
	const moodle = /^(.*?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?$/.exec(base);
	if (moodle)
		return { student: moodle[1] === "" ? (moodle[2] as string) : (moodle[1] as string), id: moodle[2] as string };
	// Canvas: lastnamefirstname[_LATE]_USER_FILE_original-name
	const canvas = /^([^_]+)(?:_late)?_(\d+)_(\d+)_.+$/i.exec(base);
	if (canvas) return { student: canvas[1] as string, id: canvas[2] as string };
	// Blackboard: ASSIGNMENT_user_attempt_DATE[_file]
	const blackboard = /^.*?_([^_]+)_attempt_\d{4}-[\d-]+(?:_.*)?$/.exec(base);
	if (blackboard) return { student: blackboard[1] as string };
	// Gradescope: submission_NUMBER
	const gradescope = /^submission_(\d+)$/.exec(base);
	if (gradescope) return { student: base, id: gradescope[1] as string };
	return { student: base };
}
