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
#define KEYS    4096
#define NODES   8192
#define CODE    512
#define COPIED  (8*1024)

static uchar flags[SIEVE];
static uchar bytes[BYTES];
static uint crctable[256];
static int ia[ORDER][ORDER], ib[ORDER][ORDER], ic[ORDER][ORDER];
static double da[ORDER][ORDER], db[ORDER][ORDER], dc[ORDER][ORDER];
static int numbers[SORTED];
static char text[WORDS*8];
static uint keys[2*KEYS], counts[2*KEYS];
static struct node { struct node *next; uint value; } nodes[NODES];
static uchar code[CODE];
static uint64 from[COPIED], to[COPIED];

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

// An interpreter of a small stack machine: one big switch.
static uint
bigswitch(void)
{
  uint stack[16], sum = 0, top = 0;

  for(int i = 0; i < CODE; i++)
    code[i] = random() & 15;
  for(int i = 0; i < 16; i++)
    stack[i] = i;
  for(int pass = 0; pass < 64; pass++)
    for(int pc = 0; pc < CODE; pc++){
      uint *a = &stack[top & 15], *b = &stack[(top+1) & 15];
      switch(code[pc]){
      case 0: *a += *b; break;
      case 1: *a -= *b; break;
      case 2: *a ^= *b; break;
      case 3: *a |= 1; break;
      case 4: *a *= 5; break;
      case 5: *a = *b >> 3; break;
      case 6: *a <<= 1; break;
      case 7: top++; break;
      case 8: top += 3; break;
      case 9: *a = ~*a; break;
      case 10: if(*a & 1) pc++; break;
      case 11: sum += *a; break;
      case 12: { uint t = *a; *a = *b; *b = t; break; }
      case 13: *b = pc; break;
      case 14: sum = (sum << 7) | (sum >> 25); break;
      default: *a += 0x9e3779b9; break;
      }
    }
  return sum;
}

// Open addressing: put, count, look for what is not there.
static uint
hashtable(void)
{
  uint found = 0;

  for(int i = 0; i < 2*KEYS; i++)
    keys[i] = counts[i] = 0;
  for(int i = 0; i < 4*KEYS; i++){
    uint key = 1 + random() % KEYS;
    uint at = (key*2654435761u >> 12) & (2*KEYS-1);
    while(keys[at] && keys[at] != key)
      at = (at+1) & (2*KEYS-1);
    keys[at] = key;
    counts[at]++;
  }
  for(uint key = 1; key < 3*KEYS; key++){
    uint at = (key*2654435761u >> 12) & (2*KEYS-1);
    while(keys[at] && keys[at] != key)
      at = (at+1) & (2*KEYS-1);
    found = found*31 + (keys[at] ? counts[at] : 7);
  }
  return found;
}

// A list in random order: walked, turned, summed.
static uint
list(void)
{
  struct node *head = 0, *turned = 0;
  uint sum = 0;

  for(int i = 0; i < NODES; i++)
    nodes[i].value = i;
  for(int i = NODES-1; i > 0; i--){
    uint k = random() % (i+1), t = nodes[i].value;
    nodes[i].value = nodes[k].value;
    nodes[k].value = t;
  }
  for(int i = 0; i < NODES; i++){
    struct node *n = &nodes[nodes[i].value];
    n->next = head;
    head = n;
  }
  for(int pass = 0; pass < 8; pass++)
    for(struct node *n = head; n; n = n->next)
      sum = sum*31 + n->value;
  while(head){
    struct node *n = head;
    head = n->next;
    n->next = turned;
    turned = n;
  }
  for(struct node *n = turned; n; n = n->next)
    sum = sum*31 + n->value;
  return sum;
}

static uint
collatz(void)
{
  uint longest = 0, where = 0;

  for(uint i = 1; i < 6000; i++){
    uint steps = 0;
    for(uint64 n = i; n != 1; steps++)
      n = n & 1 ? 3*n+1 : n/2;
    if(steps > longest){
      longest = steps;
      where = i;
    }
  }
  return longest*65536 + where;
}

// Round constants: any will do to measure with, and those of the standard are a table of 64.
static uint
sha256(void)
{
  uint h[8], w[64];

  for(int i = 0; i < 8; i++)
    h[i] = random() ^ (uint)i << 28;
  for(int block = 0; block < BYTES/64; block++){
    uint s[8];
    for(int i = 0; i < 16; i++){
      const uchar *p = bytes + block*64 + i*4;
      w[i] = (uint)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    }
#define ROTATE(x, n) ((x) >> (n) | (x) << (32-(n)))
    for(int i = 16; i < 64; i++){
      uint a = w[i-15], b = w[i-2];
      w[i] = w[i-16] + w[i-7] + (ROTATE(a, 7) ^ ROTATE(a, 18) ^ a >> 3) + (ROTATE(b, 17) ^ ROTATE(b, 19) ^ b >> 10);
    }
    for(int i = 0; i < 8; i++)
      s[i] = h[i];
    for(int i = 0; i < 64; i++){
      uint one = ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25);
      uint t = s[7] + one + ((s[4] & s[5]) ^ (~s[4] & s[6])) + (i+1)*0x9e3779b9 + w[i];
      uint zero = ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22);
      uint u = zero + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      for(int k = 7; k > 0; k--)
        s[k] = s[k-1];
      s[4] += t;
      s[0] = t + u;
    }
    for(int i = 0; i < 8; i++)
      h[i] += s[i];
  }
  return h[0] ^ h[3] ^ h[7];
}

// Words, forwards and backwards: what a memcpy that is not of bytes does.
static uint
copy(void)
{
  uint sum = 0;

  for(int i = 0; i < COPIED; i++)
    from[i] = random();
  for(int pass = 0; pass < 8; pass++){
    for(int i = 0; i < COPIED; i++)
      to[i] = from[i];
    for(int i = COPIED-1; i > 0; i--)
      from[i] = to[i-1];
  }
  for(int i = 0; i < COPIED; i++)
    sum = sum*31 + to[i];
  return sum;
}

static struct record {
  struct record *next;
  int kind, value;
  char name[32];
} one, other;

// Records, calls and comparisons of strings, as in the synthetic benchmarks of old.
static uint
records(void)
{
  static const char first[] = "A RECORD THAT HAS THE FIRST NAME", second[] = "A RECORD THAT HAS THE OTHER NAME";
  uint sum = 0;

  for(int i = 0; i < 31; i++){
    one.name[i] = first[i];
    other.name[i] = second[i];
  }
  one.next = &other;
  for(int run = 0; run < 2000; run++){
    other = one;
    one.value = run;
    other.value = one.value + (other.kind & 3);
    other.next = other.next == &other ? &one : other.next;
    other.name[run % 31] = second[run % 31];
    if(same(one.name, other.name))
      one.kind++;
    else
      one.kind += length(other.name);
    for(int i = 0; i < 3; i++)
      sum = sum*7 + (other.value ^ one.kind) % (i+2);
  }
  return sum;
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
  { "switch", bigswitch },
  { "hash", hashtable },
  { "list", list },
  { "collatz", collatz },
  { "sha256", sha256 },
  { "copy", copy },
  { "records", records },
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
