/** Sizes a canvas in CSS pixels for the screen's density; the result draws in CSS pixels. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
	const scale = window.devicePixelRatio || 1;
	const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
	if (canvas.width !== pixelWidth) canvas.width = pixelWidth;
	if (canvas.height !== pixelHeight) canvas.height = pixelHeight;
	canvas.style.setProperty("width", `${width}px`);
	canvas.style.setProperty("height", `${height}px`);
	const context = canvas.getContext("2d");
	if (!context) throw new Error("this browser draws no 2D canvas");
	context.setTransform(scale, 0, 0, scale, 0, 0);
	return context;
}
