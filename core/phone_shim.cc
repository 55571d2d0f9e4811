/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C shim over libphonenumber: what is a number, what kind, where.  Everything that is policy
 * (which kinds are refused) is elsewhere.
 */
#include "core/phone.h"

#include <cstring>
#include <string>
#include <utility>

#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;

namespace {

/* Longest text that can be a number with all the punctuation that people like. */
constexpr size_t kMaxText = 64;
constexpr int kNanp = 1;

const PhoneNumberUtil &util()
{
    return *PhoneNumberUtil::GetInstance();
}

const ShortNumberInfo &short_info()
{
    static const ShortNumberInfo info;
    return info;
}

/* Letters are not taken for the digits on their keys, nor are extensions: whoever writes
 * "+1555abc4567" has made a mistake.  Non-ASCII is left to the library (digits of other scripts,
 * typographic hyphens, spaces). */
bool has_foreign_characters(const std::string &text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9')) {
            digits++;
            continue;
        }
        if (std::strchr("+-(). /\t", c) == nullptr)
            return true;
        if (c == '+' && digits > 0)
            return true;
    }
    return digits == 0;
}

std::string digits_only(const std::string &text)
{
    std::string digits = text;
    util().NormalizeDigitsOnly(&digits);
    return digits;
}

/* Numbers of the NANP with area code 555 are used for examples, also in our documentation; the
 * library's data calls them invalid, though a provider must decide. */
bool is_example(const PhoneNumber &number)
{
    const std::string national = std::to_string(number.national_number());
    return number.country_code() == kNanp && national.size() == 10 && national.compare(0, 3, "555") == 0;
}

bool is_valid(const PhoneNumber &number)
{
    return util().IsValidNumber(number) || is_example(number);
}

bool parse(const std::string &text, const std::string &region, PhoneNumber *number, phone_result *why)
{
    switch (util().Parse(text, region.empty() ? "ZZ" : region, number)) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        return true;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        *why = PHONE_BAD_COUNTRY;
        return false;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
        *why = PHONE_TOO_SHORT;
        return false;
    case PhoneNumberUtil::TOO_LONG_NSN:
        *why = PHONE_TOO_LONG;
        return false;
    default:
        *why = PHONE_NOT_A_NUMBER;
        return false;
    }
}

/* Digits alone: national if valid there, else international ("00" is how most of the world dials
 * out), else national as it stands. */
bool parse_as_written(const std::string &text, const std::string &region, PhoneNumber *number, phone_result *why)
{
    if (text.find('+') != std::string::npos)
        return parse(text, region, number, why);

    PhoneNumber other;
    phone_result ignored = PHONE_OK;
    const bool parsed = parse(text, region, number, why);
    if (parsed && is_valid(*number))
        return true;
    std::string digits = digits_only(text);
    if (digits.compare(0, 2, "00") == 0) {
        if (!parse("+" + digits.substr(2), region, &other, &ignored))
            return parsed;
        *number = std::move(other);
        return true;
    }
    if (parse("+" + digits, region, &other, &ignored) && is_valid(other)) {
        *number = std::move(other);
        return true;
    }
    return parsed;
}

/* Of "+49 0 0 555…" the library takes one 0 away at a time; the same number must have one form only.
 * Valid numbers are in it already. */
void settle(PhoneNumber *number)
{
    PhoneNumber again;
    phone_result ignored = PHONE_OK;
    std::string before, e164;

    for (int i = 0; i < 16 && !is_valid(*number); i++) {
        util().Format(*number, PhoneNumberUtil::E164, &e164);
        if (e164 == before || !parse(e164, "", &again, &ignored))
            return;
        before = e164;
        *number = std::move(again);
    }
}

phone_result possible(const PhoneNumber &number)
{
    switch (util().IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return PHONE_OK;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        return PHONE_LOCAL_ONLY;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return PHONE_BAD_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT:
        return PHONE_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG:
        return PHONE_TOO_LONG;
    case PhoneNumberUtil::INVALID_LENGTH:
    default:
        return PHONE_BAD_LENGTH;
    }
}

phone_type type_of(const PhoneNumber &number)
{
    switch (util().GetNumberType(number)) {
    case PhoneNumberUtil::FIXED_LINE:
        return PHONE_TYPE_FIXED;
    case PhoneNumberUtil::MOBILE:
        return PHONE_TYPE_MOBILE;
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
        return PHONE_TYPE_FIXED_OR_MOBILE;
    case PhoneNumberUtil::TOLL_FREE:
        return PHONE_TYPE_TOLL_FREE;
    case PhoneNumberUtil::PREMIUM_RATE:
        return PHONE_TYPE_PREMIUM;
    case PhoneNumberUtil::SHARED_COST:
        return PHONE_TYPE_SHARED_COST;
    case PhoneNumberUtil::VOIP:
        return PHONE_TYPE_VOIP;
    case PhoneNumberUtil::PERSONAL_NUMBER:
        return PHONE_TYPE_PERSONAL;
    case PhoneNumberUtil::PAGER:
        return PHONE_TYPE_PAGER;
    case PhoneNumberUtil::UAN:
        return PHONE_TYPE_UAN;
    case PhoneNumberUtil::VOICEMAIL:
        return PHONE_TYPE_VOICEMAIL;
    default:
        return PHONE_TYPE_UNKNOWN;
    }
}

void set_text(char *to, size_t size, const std::string &from)
{
    const size_t n = from.size() < size ? from.size() : size - 1;
    std::memcpy(to, from.data(), n);
    to[n] = '\0';
}

std::string region_of(const PhoneNumber &number)
{
    std::string region;
    util().GetRegionCodeForNumber(number, &region);
    if (region.empty() || region == "ZZ")
        util().GetRegionCodeForCountryCode(number.country_code(), &region);
    return region == "ZZ" ? std::string() : region;
}

bool one_of(const std::string &word, const char *const *words)
{
    for (; *words != nullptr; words++)
        if (word == *words)
            return true;
    return false;
}

/* Charged like premium numbers to those who think them domestic. */
bool is_caribbean(const PhoneNumber &number, const std::string &region)
{
    static const char *const kHome[] = {"US", "CA", "PR", "VI", "GU", "AS", "MP", nullptr};
    return number.country_code() == kNanp && !region.empty() && !one_of(region, kHome);
}

void describe(const PhoneNumber &number, phone *out)
{
    std::string e164;
    const int code = number.country_code();
    const std::string national = std::to_string(number.national_number());
    const std::string region = region_of(number);

    util().Format(number, PhoneNumberUtil::E164, &e164);
    out->country_code = code;
    set_text(out->region, sizeof out->region, region);
    out->valid = is_valid(number);
    out->type = type_of(number);
    out->satellite = code == 870 || (code >= 881 && code <= 883);
    out->caribbean = is_caribbean(number, region);
    out->premium = out->type == PHONE_TYPE_PREMIUM || code == 979 ||
                   (code == kNanp && (national.compare(0, 3, "900") == 0 || national.compare(0, 3, "976") == 0));
    if (out->result == PHONE_OK)
        set_text(out->e164, sizeof out->e164, e164);
}

bool is_emergency_in(const std::string &digits, const std::string &region)
{
    return !region.empty() && region.size() == 2 && short_info().ConnectsToEmergencyNumber(digits, region);
}

/* 112 and 911 work, or are redirected, nearly everywhere: without a region they count too. */
bool is_emergency(const std::string &digits, const std::string &region)
{
    if (digits.size() < 2 || digits.size() > 6)
        return false;
    return digits == "112" || digits == "911" || is_emergency_in(digits, region);
}

/* "+1911", "+44999": someone put a country code before it. */
bool is_emergency_abroad(const PhoneNumber &number)
{
    std::string region;
    util().GetRegionCodeForCountryCode(number.country_code(), &region);
    std::string national;
    util().GetNationalSignificantNumber(number, &national);
    return is_emergency(national, region);
}

void parse_phone(const std::string &text, const std::string &region, phone *out)
{
    PhoneNumber number;

    if (text.empty() || text.size() > kMaxText || has_foreign_characters(text)) {
        out->result = PHONE_NOT_A_NUMBER;
        return;
    }
    const std::string digits = digits_only(text);
    const bool bare = text.find('+') == std::string::npos;
    if (bare && is_emergency(digits, region)) {
        out->emergency = true;
        out->result = PHONE_SHORT_NUMBER;
        return;
    }
    phone_result why = PHONE_NOT_A_NUMBER;
    if (!parse_as_written(text, region, &number, &why)) {
        /* Two or three digits: the library calls it too short or no number at all. */
        out->result = why == PHONE_NOT_A_NUMBER && !digits.empty() && digits.size() < 7 ? PHONE_TOO_SHORT : why;
        return;
    }
    settle(&number);
    out->result = possible(number);
    if (out->result != PHONE_OK && is_emergency_abroad(number)) {
        out->emergency = true;
        out->result = PHONE_SHORT_NUMBER;
    } else if (out->result != PHONE_OK && bare && digits.size() <= 6 && !region.empty() &&
               short_info().IsValidShortNumberForRegion(number, region)) {
        out->result = PHONE_SHORT_NUMBER;
    }
    describe(number, out);
}

} // namespace

extern "C" enum phone_result phone_parse(const char *text, size_t length, const char *region, struct phone *out)
{
    std::memset(out, 0, sizeof *out);
    parse_phone(std::string(text, length), region != nullptr ? region : "", out);
    return out->result;
}

extern "C" char *phone_display(const char *e164)
{
    PhoneNumber number;
    phone_result why;
    std::string text = e164;

    if (phone_is_e164(e164, std::strlen(e164)) && parse(e164, "", &number, &why))
        util().Format(number, PhoneNumberUtil::INTERNATIONAL, &text);
    return g_strdup(text.c_str());
}

extern "C" int phone_region_code(const char *region)
{
    return util().GetCountryCodeForRegion(region);
}

extern "C" bool phone_region_known(const char *region)
{
    return std::strlen(region) == 2 && phone_region_code(region) != 0;
}
