/* One line of results for each construct of C that the IR downgrade has to carry over; gcc's build says what is right. */
#include "guest.h"
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>

#define NOINLINE __attribute__((noinline))

struct large { int a[10]; const char *name; struct large *next; };
struct pair { long a, b; };
struct mixed { float f; int i; };
struct fields { unsigned a : 3, b : 7; int c : 9; unsigned long d : 40; };
struct __attribute__((packed)) packed { char c; long l; short s; };
union word { double d; uint64_t bits; char bytes[8]; };
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
typedef int (*function)(int, void *);
struct operation { const char *name; function call; struct operation *self; void *data[2]; };

static int add1(int a, void *p) { return a + 1 + (p != 0); }
static int mul2(int a, void *p) { (void)p; return a * 2; }
static struct operation table[] = {
	{ "add1", add1, &table[1], { &table[0].name, (char *)&table + 8 } },
	{ "mul2", mul2, &table[0], { 0, &table[1].data[1] } },
};
static int grid[4][5] = { { 1, 2 }, [2] = { [3] = 7 } };
static int *middle = &grid[2][3];
extern struct large second;
static struct large first = { { 1 }, "first", &second };
struct large second = { { 2 }, "second", &first };
extern int absent(void) __attribute__((weak));
int weak_one(void) __attribute__((weak));
int weak_one(void) { return 41; }
int alias_one(void) __attribute__((alias("weak_one")));
volatile int seven = 7;
volatile long minus = -3;
_Atomic int atomic = 4;
static int plain = 5;
static long counter;
static void *pointer;

static NOINLINE struct large make_large(int k)
{
	struct large r = { { 0 }, "made", 0 };
	for (int i = 0; i < 10; i++) r.a[i] = i * k;
	return r;
}
static NOINLINE long sum_large(struct large s, int from) { long n = from; for (int i = 0; i < 10; i++) n += s.a[i]; return n; }
static NOINLINE struct pair make_pair(long x) { return (struct pair){ x, -x }; }
static NOINLINE struct mixed make_mixed(int x) { return (struct mixed){ x / 4.0f, x }; }

static NOINLINE long sum(int n, ...)
{
	va_list values, again;
	va_start(values, n);
	va_copy(again, values);
	long s = 0;
	for (int i = 0; i < n; i++) s += va_arg(values, int);
	s += va_arg(values, long);
	s += *va_arg(values, char *);
	s += (long)(va_arg(values, double) * 8);
	struct pair p = va_arg(values, struct pair);
	s += p.a - p.b + va_arg(again, int);
	va_end(values);
	va_end(again);
	return s;
}

static NOINLINE int sparse(int x)
{
	switch (x) {
	case 1: return 10;
	case 2 ... 3: return 20;
	case 1000: return 7;
	case -5: return 9;
	case 4: x++; /* falls through */
	case 5: return x;
	default: return -1;
	}
}
static NOINLINE int dense(int x)
{
	switch (x) {
	case 0: return seven; case 1: return 5; case 2: return seven * 3; case 3: return 1;
	case 4: return seven + 9; case 5: return 2; case 6: return seven - 8;
	}
	return 99;
}
static NOINLINE int computed(const char *s)
{
	static void *labels[] = { &&a, &&b, &&c };
	int n = 0;
	for (;;) {
		goto *labels[*s++ - 'a'];
	a: n += 1; continue;
	b: n *= 3; continue;
	c: return n;
	}
}
static NOINLINE int variable(int n)
{
	int v[n];
	for (int i = 0; i < n; i++) v[i] = i * i;
	char *p = __builtin_alloca(n + 8);
	memset(p, n, n + 8);
	int s = p[n];
	for (int i = 0; i < n; i++) s += v[i];
	return s;
}
static NOINLINE long doubles(double a, float b)
{
	double c = a * b + 1.5;
	if (__builtin_isnan(c)) return c != c;
	float d = (float)c;
	long r = (long)(c * 100);
	r += d > 3 ? 1 : 0;
	r += (unsigned long)(a * a * 7) & 15;
	return r + (int)(long)(-b);
}
static NOINLINE unsigned __int128 multiply(uint64_t a, uint64_t b) { return (unsigned __int128)a * b; }
static NOINLINE __int128 shift(__int128 x, int n) { return (x >> n) - (x << (n & 7)) + (x < 0); }

static NOINLINE long compare(long a, long b, unsigned c, unsigned d) { return ((a > b) - (a < b)) * 10 + (c < d ? -1 : c > d); }
static NOINLINE long classes(double d, float f)
{
	return __builtin_isnan(d) + 2 * __builtin_isinf(d) + 4 * __builtin_isfinite(f) + 8 * __builtin_isnormal(d) + 16 * (__builtin_signbit(f) != 0);
}

static void operands(void)
{
	long in = 6, out, cell = 10;
	asm volatile("addi %0, %1, 5" : "=r"(out) : "r"(in));
	asm volatile("sd %1, %0" : "=m"(cell) : "r"(out * 2));
	asm volatile("ld %0, %1" : "=r"(in) : "m"(cell) : "memory");
	asm("addi %0, %0, %1" : "+r"(in) : "i"(4));
	long early;
	asm("li %0, 3\n\tadd %0, %0, %1" : "=&r"(early) : "r"(in) : "t0");
	register long a0 asm("a0") = 20;
	asm volatile("slli %0, %0, 1" : "+r"(a0));
	long fixed = a0;
	uint64_t status;
	asm volatile("csrr %0, mhartid" : "=r"(status));
	double d = 2.0, root;
	asm("fsqrt.d %0, %1" : "=f"(root) : "f"(d * 8));
	line("asm", 7, in, out, cell, early, fixed, (long)status, (long)root);
}

static void atomics(void)
{
	atomic += 3;
	plain += atomic - 4;
	int wanted = 8;
	bool done = __atomic_compare_exchange_n(&plain, &wanted, 77, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	wanted = 1;
	bool not = __atomic_compare_exchange_n(&plain, &wanted, 78, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	line("cmpxchg", 5, (long)plain, (long)done, (long)not, (long)wanted, (long)__sync_bool_compare_and_swap(&plain, 1, 2));
	long a = __sync_lock_test_and_set(&plain, 9), b = __sync_fetch_and_add(&counter, 5);
	long c = __atomic_or_fetch(&counter, 8, __ATOMIC_RELAXED), d = __atomic_fetch_xor(&counter, 3, __ATOMIC_ACQ_REL);
	long e = __atomic_sub_fetch(&counter, 100, __ATOMIC_SEQ_CST), f = __atomic_fetch_nand(&counter, 6, __ATOMIC_RELEASE);
	line("rmw", 7, a, b, c, d, e, f, counter);
	void *before = __atomic_exchange_n(&pointer, (void *)&counter, __ATOMIC_ACQ_REL), *expected = &counter;
	bool swapped = __atomic_compare_exchange_n(&pointer, &expected, (void *)0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	__sync_synchronize();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	__sync_lock_release(&plain);
	line("pointers", 4, (long)(before == 0), (long)swapped, (long)(__atomic_load_n(&pointer, __ATOMIC_ACQUIRE) == 0), (long)plain);
}

int main(void)
{
	struct large l = make_large(3), copy;
	line("large", 3, sum_large(l, 4), sum_large(make_large(seven), 0), (long)l.name[1]);
	copy = l;
	copy.a[3] = -1;
	l = copy;
	line("copy", 2, (long)l.a[3], (long)memcmp(&l, &copy, sizeof l));
	struct pair p = make_pair(12345678901);
	struct mixed m = make_mixed(10);
	line("returned", 4, p.a, p.b, (long)(m.f * 100), (long)m.i);
	line("varargs", 1, sum(3, 1, 2, 3, 40L, "A", 2.5, p));
	for (int i = -6; i < 9; i++) line("switch", 2, (long)sparse(i), (long)dense(i));
	line("switch", 1, (long)sparse(seven * 143 - 1));
	for (struct operation *o = table; o < table + 2; o++)
		line(o->name, 3, (long)o->call(20, o->data[0]), (long)((char *)o->data[1] - (char *)table), (long)*o->self->name);
	line("globals", 4, (long)*middle, (long)grid[0][1], (long)first.next->next->a[0], (long)(first.next->name - second.name));
	line("weak", 3, (long)weak_one(), (long)alias_one(), (long)(absent == 0));
	struct fields f = { 5, 99, -200, 0xabcdef1234 };
	f.a += seven;
	f.c -= 100;
	f.d <<= 4;
	line("fields", 5, (long)f.a, (long)f.b, (long)f.c, (long)f.d, (long)sizeof f);
	struct packed q = { 1, minus, 3 };
	q.l *= 5;
	line("packed", 2, q.l, (long)sizeof q);
	union word w = { .d = 1.5 * seven };
	line("union", 2, (long)w.bits, (long)w.bytes[7]);
	line("goto", 2, (long)computed("aabac"), (long)computed("babac"));
	line("vla", 2, (long)variable(9), (long)variable(seven));
	line("float", 4, doubles(2.25, 3.5f), doubles(-1e3, 0.125f), doubles(0.0 / (seven - 7), 1), (long)((float)minus / 2));
	line("convert", 4, (long)(unsigned char)(int)(seven * 40.5), (long)(unsigned)(seven * 1e8f), (long)(double)(unsigned long)minus, (long)(0x1p40 / seven));
	unsigned __int128 product = multiply(0xfedcba9876543210, 0x123456789abcdef);
	__int128 shifted = shift((__int128)minus << 70, 66 + seven);
	line("int128", 4, (long)(product >> 64), (long)product, (long)(shifted >> 64), (long)shifted);
	atomics();
	operands();
	int sum32;
	long sum64;
	unsigned char narrow;
	line("overflow", 6, (long)__builtin_add_overflow(INT_MAX, seven, &sum32), (long)sum32, (long)__builtin_mul_overflow(LONG_MAX / 3, minus, &sum64), sum64,
		(long)__builtin_sub_overflow(seven, 8, &narrow), (long)narrow);
	line("bits", 6, (long)__builtin_popcount(seven * 37), (long)__builtin_ctzl(seven << 8), (long)__builtin_clz(seven), (long)__builtin_bswap64(minus),
		(long)__builtin_bswap32(seven), (long)__builtin_parity(seven));
	line("narrow", 4, (long)((signed char)(seven + 121) >> 1), (long)(short)(unsigned short)(seven * 6000), (long)(bool)(seven & 8), minus % 2);
	line("divide", 4, minus / seven, minus % seven, (long)((unsigned long)minus / seven), (long)((unsigned)minus % 10u));
	line("select", 2, minus < seven ? minus : seven, (unsigned long)minus < 8u ? 1L : 2L);
	line("compare", 3, compare(minus, seven, seven, 8), compare(seven, minus, 8, seven), compare(7, seven, 7, seven));
	line("classes", 4, classes(seven, -1.5f), classes(1.0 / (seven - 7), 0), classes(0.0 / (seven - 7), 1), classes(0x1p-1060 * seven, 3));
	return 0;
}
