/** Characters that a terminal draws over the one before: marks, joiners, selectors. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** East Asian Wide and Fullwidth blocks, and emoji, as terminals with Unicode 11 widths draw them. */
const wide =
	/^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

/** A text in pieces that a cursor stands between: a character with the marks on it. */
export function clusters(text: string): string[] {
	const pieces: string[] = [];
	for (const character of text) {
		if (pieces.length > 0 && zeroWidth.test(character)) pieces[pieces.length - 1] += character;
		else pieces.push(character);
	}
	return pieces;
}

/** Columns of a terminal that a cluster takes. */
export function cells(cluster: string): 0 | 1 | 2 {
	if (wide.test(cluster)) return 2;
	return zeroWidth.test(cluster) ? 0 : 1;
}
