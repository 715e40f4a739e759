/*
 * What csmith's programs expect of their runtime: checked arithmetic that is defined for all operands, and a checksum of the globals.
 * Written for this guest; the checksums are its own, so they agree only with programs built against this file.
 */
#include "guest.h"

#define printf(...) ((void)0)

static uint64_t crc32_context;

static void crc32_gentab(void) { crc32_context = 1469598103934665603u; }
static void platform_main_begin(void) {}
static void platform_main_end(uint64_t crc, int flag) { (void)crc; (void)flag; hex(crc32_context); print("\n"); }

static void transparent_crc_bytes(const void *bytes, int count, const char *name, int flag)
{
	const unsigned char *p = bytes;
	(void)name; (void)flag;
	while (count--) crc32_context = (crc32_context ^ *p++) * 1099511628211u;
}

static void transparent_crc(uint64_t value, const char *name, int flag)
{
	transparent_crc_bytes(&value, sizeof value, name, flag);
}

#define WIDTH(T) (8 * sizeof(+(T)0))

#define SHIFTS(T, sign, min, max, R, other) \
	static inline T safe_lshift_func_##T##_##sign##_##other(T a, R b) \
	{ return a < (T)0 || (int64_t)b < 0 || (uint64_t)b >= WIDTH(T) || a > (max >> b) ? a : (T)(a << b); } \
	static inline T safe_rshift_func_##T##_##sign##_##other(T a, R b) \
	{ return a < (T)0 || (int64_t)b < 0 || (uint64_t)b >= WIDTH(T) ? a : (T)(a >> b); }

#define SIGNED(T, min, max) \
	static inline T safe_add_func_##T##_s_s(T a, T b) { T r; return __builtin_add_overflow(a, b, &r) ? a : r; } \
	static inline T safe_sub_func_##T##_s_s(T a, T b) { T r; return __builtin_sub_overflow(a, b, &r) ? a : r; } \
	static inline T safe_mul_func_##T##_s_s(T a, T b) { T r; return __builtin_mul_overflow(a, b, &r) ? a : r; } \
	static inline T safe_div_func_##T##_s_s(T a, T b) { return b == 0 || (a == min && b == -1) ? a : (T)(a / b); } \
	static inline T safe_mod_func_##T##_s_s(T a, T b) { return b == 0 || (a == min && b == -1) ? a : (T)(a % b); } \
	static inline T safe_unary_minus_func_##T##_s(T a) { return a == min ? a : (T)-a; } \
	SHIFTS(T, s, min, max, int, s) SHIFTS(T, s, min, max, unsigned, u)

#define UNSIGNED(T, max) \
	static inline T safe_add_func_##T##_u_u(T a, T b) { return a + b; } \
	static inline T safe_sub_func_##T##_u_u(T a, T b) { return a - b; } \
	static inline T safe_mul_func_##T##_u_u(T a, T b) { return (T)((uint64_t)a * b); } \
	static inline T safe_div_func_##T##_u_u(T a, T b) { return b == 0 ? a : (T)(a / b); } \
	static inline T safe_mod_func_##T##_u_u(T a, T b) { return b == 0 ? a : (T)(a % b); } \
	static inline T safe_unary_minus_func_##T##_u(T a) { return -a; } \
	SHIFTS(T, u, 0, max, int, s) SHIFTS(T, u, 0, max, unsigned, u)

SIGNED(int8_t, INT8_MIN, INT8_MAX)
SIGNED(int16_t, INT16_MIN, INT16_MAX)
SIGNED(int32_t, INT32_MIN, INT32_MAX)
SIGNED(int64_t, INT64_MIN, INT64_MAX)
UNSIGNED(uint8_t, UINT8_MAX)
UNSIGNED(uint16_t, UINT16_MAX)
UNSIGNED(uint32_t, UINT32_MAX)
UNSIGNED(uint64_t, UINT64_MAX)
