/** Intrinsics of LLVM 22 that LLVM 13 does not have: their declarations become functions of the module. */
const declaration = /^declare .*@llvm\.(is\.fpclass|[us]cmp)\.(f32|f64|i\d+)(?:\.(i\d+))?\(.*$/gm;

export function defineIntrinsics(ir: string): string {
	const names: string[] = [];
	const defined = ir.replace(declaration, (_, kind: string, first: string, second: string | undefined) => {
		const name = `${kind}.${first}${second ? `.${second}` : ""}`;
		names.push(name);
		return kind === "is.fpclass" ? floatClass(name, first) : threeWay(name, kind === "scmp", first, second ?? first);
	});
	return names.reduce((text, name) => text.replaceAll(`@llvm.${name}(`, `@xv6lab.${name}(`), defined);
}

/** -1, 0 or 1. */
function threeWay(name: string, signed: boolean, result: string, operand: string): string {
	const sign = signed ? "s" : "u";
	return `define internal ${result} @xv6lab.${name}(${operand} %0, ${operand} %1) {
  %3 = icmp ${sign}gt ${operand} %0, %1
  %4 = zext i1 %3 to ${result}
  %5 = icmp ${sign}lt ${operand} %0, %1
  %6 = zext i1 %5 to ${result}
  %7 = sub ${result} %4, %6
  ret ${result} %7
}`;
}

/** LLVM's mask has the two NaNs in its lowest bits; `fclass` (RISC-V 11.9) has the same order with them at the top. */
function floatClass(name: string, format: string): string {
	const [type, suffix] = format === "f32" ? ["float", "s"] : ["double", "d"];
	return `define internal i1 @xv6lab.${name}(${type} %0, i32 %1) {
  %3 = call i64 asm "fclass.${suffix} $0, $1", "=r,f"(${type} %0)
  %4 = trunc i64 %3 to i32
  %5 = lshr i32 %1, 2
  %6 = and i32 %1, 3
  %7 = shl i32 %6, 8
  %8 = or i32 %5, %7
  %9 = and i32 %4, %8
  %10 = icmp ne i32 %9, 0
  ret i1 %10
}`;
}
