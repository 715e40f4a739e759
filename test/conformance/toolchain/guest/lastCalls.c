#include "guest.h"

static long lowest;

static __attribute__((noinline)) void callee(void);

/* Smaller than 64 bytes. */
static __attribute__((noinline)) void caller(int n)
{
	lowest = n;
	callee();
}

static __attribute__((noinline)) void callee(void)
{
	char *returns = __builtin_return_address(0);
	char *from = (char *)caller;
	print(returns > from && returns <= from + 64 ? "caller calls\n" : "caller is not in the stack\n");
	lowest = 0;
}

/* Returns what it was given; only its frames show how deep it was. */
static __attribute__((noinline)) int down(int n)
{
	long here = (long)__builtin_frame_address(0);
	if (here < lowest) lowest = here;
	if (n == 0) return lowest != 0;
	return down(n - 1);
}

int main(void)
{
	caller(1);
	lowest = (long)__builtin_frame_address(0);
	long top = lowest;
	int isDeep = down(100);
	line("frames", 1, (long)(isDeep && top - lowest >= 100 * 16));
	return 0;
}
