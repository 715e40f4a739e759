// Compute programs of the benchmark: `compute NAME ROUNDS` runs one of them and
// prints a checksum, which must be the same on every machine. The same file
// compiles for the host (bench/native), so it asks for nothing but printf.

#include "kernel/types.h"
#include "user/user.h"

#define SIEVE   (256*1024)
#define BYTES   (64*1024)
#define ORDER   48
#define SORTED  (16*1024)
#define WORDS   2048

static uchar flags[SIEVE];
static uchar bytes[BYTES];
static uint crctable[256];
static int ia[ORDER][ORDER], ib[ORDER][ORDER], ic[ORDER][ORDER];
static double da[ORDER][ORDER], db[ORDER][ORDER], dc[ORDER][ORDER];
static int numbers[SORTED];
static char text[WORDS*8];

static uint seed;

static uint
random(void)
{
  seed = seed*1664525 + 1013904223;
  return seed >> 8;
}

// Primes below SIEVE.
static uint
sieve(void)
{
  uint count = 0;

  for(int i = 0; i < SIEVE; i++)
    flags[i] = 1;
  for(int i = 2; i < SIEVE; i++){
    if(!flags[i])
      continue;
    count++;
    for(int k = i+i; k < SIEVE; k += i)
      flags[k] = 0;
  }
  return count;
}

// CRC-32 with a table, a byte at a time.
static uint
crc32(void)
{
  uint crc = ~0;

  for(uint i = 0; i < 256; i++){
    uint c = i;
    for(int k = 0; k < 8; k++)
      c = c & 1 ? (c >> 1) ^ 0xedb88320 : c >> 1;
    crctable[i] = c;
  }
  for(int pass = 0; pass < 8; pass++)
    for(int i = 0; i < BYTES; i++)
      crc = crctable[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

static uint
matint(void)
{
  uint sum = 0;

  for(int i = 0; i < ORDER; i++)
    for(int j = 0; j < ORDER; j++){
      ia[i][j] = random() & 0xff;
      ib[i][j] = random() & 0xff;
    }
  for(int i = 0; i < ORDER; i++)
    for(int j = 0; j < ORDER; j++){
      int s = 0;
      for(int k = 0; k < ORDER; k++)
        s += ia[i][k] * ib[k][j];
      ic[i][j] = s;
      sum = sum*31 + s;
    }
  return sum;
}

static uint
matdouble(void)
{
  double sum = 0;

  for(int i = 0; i < ORDER; i++)
    for(int j = 0; j < ORDER; j++){
      da[i][j] = (int)(random() & 0xff) * 0.25;
      db[i][j] = (int)(random() & 0xff) * 0.5;
    }
  for(int i = 0; i < ORDER; i++)
    for(int j = 0; j < ORDER; j++){
      double s = 0;
      for(int k = 0; k < ORDER; k++)
        s += da[i][k] * db[k][j];
      dc[i][j] = s;
      sum += s * (1 + (i ^ j));
    }
  return (uint)(uint64)sum;
}

static void
sort(int *a, int n)
{
  while(n > 1){
    int pivot = a[n/2], i = 0, j = n-1;
    for(;;){
      while(a[i] < pivot)
        i++;
      while(a[j] > pivot)
        j--;
      if(i >= j)
        break;
      int t = a[i];
      a[i++] = a[j];
      a[j--] = t;
    }
    sort(a, i);
    a += i;
    n -= i;
  }
}

static uint
quicksort(void)
{
  uint sum = 0;

  for(int i = 0; i < SORTED; i++)
    numbers[i] = random();
  sort(numbers, SORTED);
  for(int i = 0; i < SORTED; i++)
    sum = sum*31 + numbers[i];
  return sum;
}

static int
same(const char *a, const char *b)
{
  while(*a && *a == *b)
    a++, b++;
  return *a == *b;
}

static int
length(const char *s)
{
  int n = 0;
  while(s[n])
    n++;
  return n;
}

// Words of a text: copied, turned, measured, looked for.
static uint
strings(void)
{
  char word[16], turned[16];
  uint found = 0;

  for(int i = 0; i < WORDS; i++){
    int n = 3 + random()%5;
    for(int k = 0; k < n; k++)
      text[i*8+k] = 'a' + random()%4;
    text[i*8+n] = 0;
  }
  for(int i = 0; i < WORDS; i++){
    const char *s = text + i*8;
    int n = 0;
    while((word[n] = s[n]))
      n++;
    for(int k = 0; k < n; k++)
      turned[k] = word[n-1-k];
    turned[n] = 0;
    for(int k = i%16; k < WORDS; k += 16)
      if(same(text + k*8, turned))
        found += length(turned);
  }
  return found;
}

static struct {
  const char *name;
  uint (*run)(void);
} programs[] = {
  { "sieve", sieve },
  { "crc32", crc32 },
  { "matint", matint },
  { "matdouble", matdouble },
  { "quicksort", quicksort },
  { "strings", strings },
};

int
main(int argc, char **argv)
{
  if(argc != 3){
    printf("usage: compute NAME ROUNDS\n");
    exit(1);
  }
  for(int i = 0; i < BYTES; i++)
    bytes[i] = i*7 + (i >> 8);
  for(uint p = 0; p < sizeof programs/sizeof programs[0]; p++){
    if(!same(argv[1], programs[p].name))
      continue;
    uint sum = 0;
    for(int round = atoi(argv[2]); round > 0; round--){
      seed = 1;
      sum = sum*31 + programs[p].run();
    }
    printf("%s %x\n", argv[1], sum);
    exit(0);
  }
  printf("compute: no program %s\n", argv[1]);
  exit(1);
}
