// Goal: numbers are written as JavaScript writes them, in the shortest form that reads back as the
// same number. Method: what Node printed for hard cases and random bits, and reading back.
#include "base/number_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/random.h"

namespace skerry {
namespace {

struct Printed {
  uint64_t bits;
  std::string_view text;
};

constexpr Printed kPrinted[] = {
    {0x3fb999999999999a, "0.1"},
    {0xbfb999999999999a, "-0.1"},
    {0x3ff8000000000000, "1.5"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x3eb92a737110e454, "0.0000015"},
    {0x3e7ad7f29abcaf48, "1e-7"},
    {0x3e80c6f7a0b5ed8d, "1.25e-7"},
    {0xbe7ad7f29abcaf48, "-1e-7"},
    {0x0000000000000001, "5e-324"},
    {0x0010000000000000, "2.2250738585072014e-308"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x444dd0c885f9a0d8, "1.1e+21"},
    {0x441ac53a7e04bcda, "123456789012345680000"},
    {0x4415af1d78b58c40, "100000000000000000000"},
    {0x4340000000000000, "9007199254740992"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x4011666666666666, "4.35"},
    {0x3fd3333333333333, "0.3"},
    {0x3fd5555555555555, "0.3333333333333333"},
    {0x3fe5555555555555, "0.6666666666666666"},
    {0xc05edd2f1a9fbe77, "-123.456"},
    {0x54b249ad2594c37d, "1e+100"},
    {0x01d972c5b787a0fa, "9.5e-300"},
    {0x0000000000000064, "4.94e-322"},
    {0x447c7e83209e90b2, "8.41e+21"},
    {0x40d38cc000000000, "20019"},
    {0x40e08ea000000000, "33909"},
    {0x3ea0c6f7a0b5ed8d, "5e-7"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x41124c41d4fdf3b6, "299792.458"},
    {0x01d550e3979a9fcf, "7.957368755961591e-300"},
    {0xca377b83978bb930, "-3.431967812254369e+49"},
    {0x2bcd8db9c1e8e242, "1.0809411229918284e-97"},
    {0x1a91e8d81217e306, "1.0790143258645723e-180"},
    {0xd95a4818412bcd40, "-2.7146284114948284e+122"},
    {0x74037758d746cada, "6.968632662292472e+250"},
    {0x600b61680d9fb1cf, "4.5889050532320214e+154"},
    {0x540ab4b876891d6c, "7.130442617977581e+96"},
    {0x00a38e002f22d456, "1.3923401670058912e-305"},
    {0xe866367535bf447e, "-8.107539459834386e+194"},
    {0xad3370f69266e576, "-5.964935884235161e-91"},
    {0x31558d54502db53c, "4.879215229643731e-71"},
    {0x734073d107eb2156, "1.4379240136287838e+247"},
    {0x32d45186fe2e6294, "7.717414845386161e-64"},
    {0x372a2f6f82ba1b51, "5.870946247403075e-43"},
    {0xd32f3021861d9b27, "-5.082488122000044e+92"},
    {0x9886b4c4e2b189d1, "-1.5925602027610268e-190"},
    {0x6705f89a8b28be82, "1.9119620557560535e+188"},
    {0xd0fe432e7d3f0f7f, "-1.4352997488058149e+82"},
    {0x6f8ba44212ab4ea1, "2.0954167789372665e+229"},
    {0xd8834ac87571907c, "-2.432474500317439e+118"},
    {0x5164e70f5348ec5c, "1.2689621019713783e+84"},
    {0xc2e703c15756ea84, "-202439168538452.12"},
    {0x0c29ad5d11b06651, "4.4829232020937534e-250"},
    {0x2f1a9df4aefab2dd, "8.768807466677076e-82"},
    {0xfc2a1e9b0ea050f8, "-1.2727162527003746e+290"},
    {0xa5e5b8ddc6042e59, "-4.0111999741842584e-126"},
    {0xeae10e8c59c29045, "-6.845187302653984e+206"},
    {0x03d823042b97a425, "3.869934045228631e-290"},
};

double FromBits(uint64_t bits) {
  double number;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

std::string Text(double number) {
  char text[kNumberText];
  return {text, WriteNumberText(number, text)};
}

TEST_CASE("writes numbers as JavaScript does") {
  for (const Printed& printed : kPrinted) CHECK(Text(FromBits(printed.bits)) == printed.text);
}

TEST_CASE("reads a written number back as the same number") {
  Random random("numbers");
  for (int i = 0; i < 100'000; ++i) {
    const double number = FromBits(random.Next());
    if (!std::isfinite(number)) continue;
    const std::string text = Text(number);
    REQUIRE(text.size() <= kNumberText);
    REQUIRE(std::strtod(text.c_str(), nullptr) == number);
  }
}

}  // namespace
}  // namespace skerry
