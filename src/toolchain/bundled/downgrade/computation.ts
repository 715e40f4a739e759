import { ending, type Rewrite } from "./statement.ts";
import { readType } from "./types.ts";
import { castName, flagText, readCast, readFlags, readTyped, readValue } from "./values.ts";

const phi: Rewrite = ({ module, cursor, result, debug }) => {
	const flags = flagText(cursor);
	const type = readType(module, cursor);
	const incoming: string[] = [];
	do {
		cursor.expect("[");
		const value = readValue(module, cursor, type);
		cursor.expect(",");
		incoming.push(`[ ${value}, ${cursor.name()} ]`);
		cursor.expect("]");
	} while (cursor.skip(","));
	return `${result}phi ${flags}${type} ${incoming.join(", ")}${debug}`;
};

const select: Rewrite = (s) => {
	const { module, cursor, result } = s;
	const flags = flagText(cursor);
	const condition = readTyped(module, cursor);
	cursor.expect(",");
	const yes = readTyped(module, cursor);
	cursor.expect(",");
	return `${result}select ${flags}${condition}, ${yes}, ${readTyped(module, cursor)}${ending(s)}`;
};

/** `OP FLAGS… TYPE A, B` */
export const binary: Rewrite = (s) => {
	const { module, cursor, opcode, result } = s;
	const flags = flagText(cursor);
	const type = readType(module, cursor);
	const left = readValue(module, cursor, type);
	cursor.expect(",");
	return `${result}${opcode} ${flags}${type} ${left}, ${readValue(module, cursor, type)}${ending(s)}`;
};

const compare: Rewrite = (s) => {
	const { module, cursor, opcode, result } = s;
	const flags = flagText(cursor);
	const predicate = cursor.word();
	const type = readType(module, cursor);
	const left = readValue(module, cursor, type);
	cursor.expect(",");
	return `${result}${opcode} ${flags}${predicate} ${type} ${left}, ${readValue(module, cursor, type)}${ending(s)}`;
};

export const cast: Rewrite = (s) => {
	readFlags(s.cursor);
	return `${s.result}${castName(s.opcode)} ${readCast(s.module, s.cursor).text}${ending(s)}`;
};

const ret: Rewrite = (s) =>
	s.cursor.skipWord("void") ? `ret void${s.debug}` : `ret ${readTyped(s.module, s.cursor)}${ending(s)}`;

/** One operand with its type, and what comes after it as it is. */
const unary: Rewrite = (s) => {
	const flags = flagText(s.cursor);
	return `${s.result}${s.opcode} ${flags}${readTyped(s.module, s.cursor)}${ending(s)}`;
};

const variableArgument: Rewrite = (s) => {
	const list = readTyped(s.module, s.cursor);
	s.cursor.expect(",");
	return `${s.result}va_arg ${list}, ${readType(s.module, s.cursor)}${ending(s)}`;
};

/** Operands with their types; the indices of an aggregate have none. */
const elements: Rewrite = (s) => {
	const { module, cursor, opcode, result } = s;
	const operands = [readTyped(module, cursor)];
	while (cursor.skip(",")) operands.push(/\d/.test(cursor.peek()) ? cursor.rest().trim() : readTyped(module, cursor));
	return `${result}${opcode} ${operands.join(", ")}${ending(s)}`;
};

export const computationRewrites = {
	phi,
	select,
	icmp: compare,
	fcmp: compare,
	ret,
	freeze: unary,
	fneg: unary,
	extractvalue: unary,
	indirectbr: unary,
	va_arg: variableArgument,
	insertvalue: elements,
	extractelement: elements,
	insertelement: elements,
	shufflevector: elements,
};
