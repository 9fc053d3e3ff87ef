// SPDX-License-Identifier: MIT
// The values the Coursera assignment publishes, through the kernels. J_content = Σ (a_C − a_G)² /
// 4CP and J_style_layer = Σ (G_S − G_G)² / 4C²P², with C = 3 channels and P = 16 pixels.
#include <gtest/gtest.h>

#include "kernels/content_loss/content_loss.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "tests/kernels/coursera_vectors.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"

namespace impasto::kernels::coursera_test {
namespace {

using test::coursera::tensorflow_1;
using test::coursera::tensorflow_2;
using test::coursera::Vectors;
using Buffer = test::GuardedBuffer<double>;

constexpr MapSize map{1, 4, 4, 3};

template <class Values>
Buffer buffer_of(const Values& values) {
  Buffer buffer(static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), buffer.begin());
  return buffer;
}

Buffer gram_of(const Buffer& features, const MapSize& size) {
  Buffer gram(size.channels * size.channels);
  reference::gram(gram.data(), features.data(), size);
  return gram;
}

/// The assignment's Gram matrix is that of a (channels, pixels) array; ours takes (pixels,
/// channels).
Buffer assignment_gram(const Vectors& vectors) {
  Buffer features(6);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t p = 0; p < 2; ++p) features[3 * p + c] = vectors.gram_input[2 * c + p];
  }
  return gram_of(features, {1, 1, 2, 3});
}

double content_loss(const Vectors& vectors) {
  Buffer loss(1);
  reference::content_loss(loss.data(), nullptr, buffer_of(vectors.generated).data(),
                          buffer_of(vectors.source).data(), map, {1.0 / (4 * 3 * 16), 0}, {});
  return loss[0];
}

double style_loss(const Vectors& vectors) {
  const Buffer generated = gram_of(buffer_of(vectors.generated), map);
  const Buffer style = gram_of(buffer_of(vectors.source), map);
  Buffer loss(1);
  Buffer matrix(9);
  reference::style_loss(loss.data(), matrix.data(), generated.data(), style.data(), 1, 3,
                        {1, 1.0 / (4 * 3 * 3 * 16 * 16), 0});
  return loss[0];
}

TEST(Coursera, ContentLossIsThePublishedOne) {
  EXPECT_NEAR(content_loss(tensorflow_1), 6.76559, 5e-6);
  EXPECT_NEAR(content_loss(tensorflow_2), 7.0568767, 1e-6);
  EXPECT_NEAR(content_loss(tensorflow_1), tensorflow_1.content_loss, 1e-12);
  EXPECT_NEAR(content_loss(tensorflow_2), tensorflow_2.content_loss, 1e-12);
}

TEST(Coursera, GramMatrixIsThePublishedOne) {
  const std::vector<double> published = {6.42230511,  -4.42912197, -2.09668207,
                                         -4.42912197, 19.46583748, 19.56387138,
                                         -2.09668207, 19.56387138, 20.6864624};
  EXPECT_TRUE(test::is_close(assignment_gram(tensorflow_1), published, {1e-7, 1e-7}));
  EXPECT_TRUE(test::is_close(assignment_gram(tensorflow_1), tensorflow_1.gram, {1e-14, 1e-14}));
  EXPECT_TRUE(test::is_close(assignment_gram(tensorflow_2), tensorflow_2.gram, {1e-14, 1e-14}));
}

TEST(Coursera, StyleLossIsThePublishedOne) {
  EXPECT_NEAR(style_loss(tensorflow_1), 9.19028, 5e-6);
  EXPECT_NEAR(style_loss(tensorflow_1), tensorflow_1.style_loss, 1e-12);
  EXPECT_NEAR(style_loss(tensorflow_2), tensorflow_2.style_loss, 1e-12);
}

}  // namespace
}  // namespace impasto::kernels::coursera_test
