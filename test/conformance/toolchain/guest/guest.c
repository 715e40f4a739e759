#include "guest.h"
#include <stdarg.h>

static void put(char c) { *(volatile char *)0x10000000 = c; }

void print(const char *text) { while (*text) put(*text++); }

void hex(uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

void number(int64_t value)
{
	char digits[20];
	int n = 0;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	if (value < 0) put('-');
	do digits[n++] = '0' + left % 10; while (left /= 10);
	while (n) put(digits[--n]);
}

/* Prints a name and `count` values of type long. */
void line(const char *name, int count, ...)
{
	va_list values;
	va_start(values, count);
	print(name);
	while (count--) {
		put(' ');
		number(va_arg(values, long));
	}
	va_end(values);
	put('\n');
}

/* What compilers call on their own; volatile, so that the loops do not become calls of themselves. */
void *memcpy(void *to, const void *from, size_t n)
{
	volatile char *d = to;
	const volatile char *s = from;
	while (n--) *d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	volatile char *d = to;
	const volatile char *s = from;
	if (d <= s) return memcpy(to, from, n);
	while (n--) d[n] = s[n];
	return to;
}

void *memset(void *to, int value, size_t n)
{
	volatile char *d = to;
	while (n--) *d++ = value;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	for (; n--; x++, y++) if (*x != *y) return *x - *y;
	return 0;
}
