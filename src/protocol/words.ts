import type { FaultOutcome, FrameLetter } from "./kernelModel.ts";

/** Words that the command line and the inspector's page share. `l10n.t` marks them for translators; the page looks the translation up. */
const l10n = { t: (text: string) => text };

/** What a fault's handler made of it. */
export const outcomeWords: Readonly<Record<FaultOutcome, string>> = {
	open: l10n.t("in the handler"),
	mapped: l10n.t("served"),
	killed: l10n.t("refused, process killed"),
	ended: l10n.t("killed by another process meanwhile"),
	again: l10n.t("not served: it faults again"),
	panic: l10n.t("kernel panic"),
};
/** In place of `mapped`, where the frame is known. */
export const gotFrame = l10n.t("got frame {0}");

/** What the letter of a frame says. */
export const frameWords: Readonly<Record<FrameLetter, string>> = {
	K: l10n.t("kernel image"),
	T: l10n.t("page tables"),
	U: l10n.t("user pages"),
	S: l10n.t("shared user pages"),
	".": l10n.t("free"),
	L: l10n.t("leaked"),
	X: l10n.t("free and in use at once"),
	"?": l10n.t("other kernel memory"),
};
