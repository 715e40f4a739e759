/** Braces that are open at the end of a piece of C, with comments and literals left out. */
export function depthAt(text: string): number {
	const bare = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, "");
	return bare.split("{").length - bare.split("}").length;
}
