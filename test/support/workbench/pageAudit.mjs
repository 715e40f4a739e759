// Looks at a page as a person does: is a text cut off, do two things lie over each other, can each text be read on what is behind it?
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** WCAG 2.2 AA for text; and what rounding of colours to whole numbers may take from it. */
const leastContrast = 4.45;

/** What axe-core finds on the page, a line a finding. */
export async function axe(page) {
	if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
	return page.evaluate(async () => {
		const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
		return violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 160)}`));
	});
}

/** Elements that are wider than their box without a scroll bar, the page when it scrolls sideways, and elements that overlap. */
export function layout(page) {
	return page.evaluate(() => {
		const found = [];
		const name = (node) =>
			`${node.tagName.toLowerCase()}.${String(node.className.baseVal ?? node.className).replaceAll(" ", ".")} "${(node.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40)}"`;
		const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
		if (wide > 0) found.push(`the page is ${wide} px wider than its window`);
		const all = [...document.querySelectorAll("xv6-inspector *")].filter(
			(node) =>
				node instanceof HTMLElement &&
				node.getClientRects().length > 0 &&
				!node.closest(".sr, option") &&
				getComputedStyle(node).visibility !== "hidden",
		);
		for (const node of all) {
			if (/^(SELECT|INPUT|OPTION)$/.test(node.tagName) || node.classList.contains("codicon")) continue;
			const style = getComputedStyle(node);
			if (/auto|scroll/.test(style.overflowX) || node.closest(".room")) continue;
			// Its texts and the elements in it against its own box, without the strokes that pseudo-elements draw.
			const box = node.getBoundingClientRect();
			if (style.display === "inline" || style.display === "contents" || box.width === 0) continue;
			for (const child of node.childNodes) {
				if (
					child.nodeType === Node.COMMENT_NODE ||
					child.classList?.contains("sr") ||
					(child.nodeType === Node.TEXT_NODE && !child.data.trim())
				)
					continue;
				const range = document.createRange();
				range.selectNode(child);
				const { right } =
					child.nodeType === Node.TEXT_NODE ? range.getBoundingClientRect() : child.getBoundingClientRect();
				const beyond = right - box.right;
				if (beyond > 1 && !(child instanceof SVGElement))
					found.push(
						`cut off: ${name(node)}, ${(child.textContent ?? "").trim().slice(0, 30)} reaches ${beyond.toFixed(1)} px beyond its box`,
					);
			}
			if (/hidden|clip/.test(style.overflowX) && node.scrollWidth > node.clientWidth + 1)
				found.push(`cut off: ${name(node)} needs ${node.scrollWidth} of ${node.clientWidth} px`);
			const tall = /hidden|clip/.test(style.overflowY) && node.scrollHeight > node.clientHeight + 2;
			if (tall) found.push(`cut off below: ${name(node)} needs ${node.scrollHeight} of ${node.clientHeight} px`);
		}
		// Leaves with text or with a border of their own, each against the others of its section.
		const leaves = all.filter(
			(node) =>
				node.matches(
					"button, .page:not(.none), .chip, .head, .caption, .address, .fold, .verdict-sign, dt, dd, h1, h2, h3, .entry, .free, .lane, .box, [role=cell]",
				) && !node.closest(".row.head"),
		);
		// Of what scrolls in a box only the part in sight.
		const inSight = (node) => {
			const { left, right, top, bottom } = node.getBoundingClientRect();
			const box = { left, right, top, bottom };
			for (let outer = node.parentElement; outer; outer = outer.parentElement) {
				if (!/auto|scroll/.test(getComputedStyle(outer).overflowY)) continue;
				const edge = outer.getBoundingClientRect();
				box.top = Math.max(box.top, edge.top);
				box.bottom = Math.min(box.bottom, edge.bottom);
			}
			return { ...box, width: box.right - box.left, height: box.bottom - box.top };
		};
		const boxes = leaves.map((node) => [node, inSight(node)]).filter(([, box]) => box.width > 0 && box.height > 0);
		boxes.sort((a, b) => a[1].top - b[1].top);
		for (let i = 0; i < boxes.length; i++) {
			const [one, a] = boxes[i];
			for (let k = i + 1; k < boxes.length; k++) {
				const [other, b] = boxes[k];
				if (b.top >= a.bottom - 1.5) break;
				if (one.contains(other) || other.contains(one)) continue;
				if (one.closest("xv6-transport") !== other.closest("xv6-transport")) continue;
				if (b.left < a.right - 1.5 && a.left < b.right - 1.5) found.push(`overlap: ${name(one)} and ${name(other)}`);
			}
		}
		return found;
	});
}

/** See `measure`. Its two pictures may be taken while something moves, for seconds on a busy machine: what is true stays so. */
export async function contrast(page) {
	let measured = await measure(page);
	for (let tries = 0; measured.low.length > 0 && tries < 5; tries++) {
		await page.waitForTimeout(1000);
		measured = await measure(page);
	}
	return measured;
}

/**
 * The contrast of each text, measured on the pixels of two pictures of the page: one as it is, one with its texts transparent. What the
 * first has and the second has not is ink; the strongest of it is the text's colour, what lies under it the background. `picture`: the first.
 */
async function measure(page) {
	const take = () => page.screenshot({ fullPage: true, animations: "disabled", caret: "hide" });
	const inked = await take();
	const blank =
		"*, ::before, ::after, ::placeholder { color: transparent !important; -webkit-text-fill-color: transparent !important; transition: none !important } svg.links { visibility: hidden }";
	await page.evaluate((text) => {
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(text);
		document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
		window.blankSheet = sheet;
	}, blank);
	const bare = await take();
	await page.evaluate(() => {
		document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== window.blankSheet);
	});
	const found = await page.evaluate(
		async ([inked, bare, least]) => {
			const read = async (data) => {
				const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
				const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
				const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
				const context = canvas.getContext("2d", { willReadFrequently: true });
				context.drawImage(bitmap, 0, 0);
				return context.getImageData(0, 0, bitmap.width, bitmap.height);
			};
			const [a, b] = [await read(inked), await read(bare)];
			const linear = Float64Array.from({ length: 256 }, (_, value) =>
				value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
			);
			const luminance = (data, at) =>
				0.2126 * linear[data[at]] + 0.7152 * linear[data[at + 1]] + 0.0722 * linear[data[at + 2]];
			const scrolls = (node) => {
				let outer = node;
				while (outer && !/auto|scroll/.test(getComputedStyle(outer).overflowY)) outer = outer.parentElement;
				return outer === document.documentElement ? undefined : outer;
			};
			// By element: a colon alone has no pixel that is all ink.
			const ratios = new Map();
			const walker = document.createTreeWalker(document.querySelector("xv6-inspector"), NodeFilter.SHOW_TEXT);
			while (walker.nextNode()) {
				const node = walker.currentNode;
				const parent = node.parentElement;
				if (
					!node.data.trim() ||
					parent.closest(".sr, option, select, :disabled, svg") ||
					getComputedStyle(parent).visibility === "hidden"
				)
					continue;
				const range = document.createRange();
				range.selectNodeContents(node);
				// Of what scrolls in a box only what is wholly in sight.
				const scroller = scrolls(parent)?.getBoundingClientRect();
				let ratio = 0;
				for (const box of range.getClientRects()) {
					if (scroller && (box.top < scroller.top || box.bottom > scroller.bottom)) continue;
					const [left, top] = [Math.floor(box.left + scrollX), Math.floor(box.top + scrollY)];
					for (let y = Math.max(0, top); y < Math.min(a.height, top + box.height); y++)
						for (let x = Math.max(0, left); x < Math.min(a.width, left + box.width); x++) {
							const at = (y * a.width + x) * 4;
							if (a.data[at] === b.data[at] && a.data[at + 1] === b.data[at + 1] && a.data[at + 2] === b.data[at + 2])
								continue;
							const [p, q] = [luminance(a.data, at), luminance(b.data, at)];
							ratio = Math.max(ratio, (Math.max(p, q) + 0.05) / (Math.min(p, q) + 0.05));
						}
				}
				// Under something else, or outside of the picture.
				if (ratio > 0) ratios.set(parent, Math.max(ratio, ratios.get(parent) ?? 0));
			}
			const worst = new Map();
			for (const [node, ratio] of ratios) {
				const key = `${node.tagName.toLowerCase()}.${node.className}`;
				if (!worst.has(key) || worst.get(key)[0] > ratio) worst.set(key, [ratio, node.textContent.trim().slice(0, 40)]);
			}
			const texts = ratios.size;
			const sorted = [...worst].map(([key, [ratio, text]]) => ({ key, ratio, text })).sort((x, y) => x.ratio - y.ratio);
			return {
				texts,
				lowest: sorted[0],
				low: sorted
					.filter(({ ratio }) => ratio < least)
					.map(({ key, ratio, text }) => `${ratio.toFixed(2)}: ${key} "${text}"`),
			};
		},
		[inked.toString("base64"), bare.toString("base64"), leastContrast],
	);
	return { ...found, picture: inked };
}
