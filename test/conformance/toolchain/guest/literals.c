#include "guest.h"

static __attribute__((noinline)) void show(const char *name)
{
	print(name);
	print("\n");
}

/* Only writes here; what they did is read elsewhere. */
static __attribute__((noinline)) void numbered(void)
{
	char *name = "vc0";
	for (int i = 1; i < 4; i++) {
		name[2] = '0' + i;
		show(name);
	}
}

/* Reads after writes of places that the compiler does not know. */
static __attribute__((noinline)) void mixed(volatile int *at)
{
	char *text = "abcdef";
	char *other = *at ? "stuvwx" : text;
	for (int i = 0; i < 3; i++) {
		text[*at + i] = '0' + i;
		other[5 - i]++;
		line("mixed", 3, (long)text[i], (long)text[*at + 2], (long)other[*at + 5]);
	}
	show(text);
}

static char *table[] = {"one", "two", "one"};

int main(void)
{
	volatile int zero = 0;
	numbered();
	mixed(&zero);
	table[1][2] = 'O';
	show(table[1]);
	show(table[2]);
	line("length", 2, (long)sizeof "in\0side", (long)"in\0side"[zero + 3]);
	return 0;
}
